"""The whole round over real HTTP: a key made here works at the sandbox's LiteLLM; spend comes back and is paid."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import select, update

from tests.keys.making import CREDIT, again, make
from tests.keys.spending import posted, usage
from tests.metering.calling import fund
from tests.providers.stand_in import StandIn, served, stand_in
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import key_service, queries, reconcile_tasks, spend_tasks, tasks
from tokenboard.keys.models import MirrorTarget
from tokenboard.ledger import service as ledger
from tokenboard.providers.litellm_client import LiteLLMAdmin
from tokenboard.sandbox.litellm_callback import payload
from tokenboard.sandbox.spend_log import SpendLog
from tokenboard.workspaces.models import Workspace

__all__ = ["served", "stand_in"]
HOUSE = frozenset({hashlib.sha256(b"sk-sandbox").hexdigest()})


@pytest.fixture
def proxy(stand_in: StandIn) -> LiteLLMAdmin:
    stand_in.order("clock", {"now": None})
    stand_in.order("clock", {"now": now().isoformat()})
    return LiteLLMAdmin(f"{stand_in.url}/litellm", "sk-sandbox-master")


def push_all(proxy: LiteLLMAdmin) -> None:
    for _ in range(3):
        db.session.execute(update(MirrorTarget).values(next_attempt_at=now() - timedelta(seconds=1)))
        db.session.commit()
        for target_id in list(db.session.scalars(select(MirrorTarget.id).where(MirrorTarget.state == "due"))):
            tasks.push(target_id, proxy)


def chat(stand_in: StandIn, secret: str, **more: Any) -> requests.Response:
    body = {"model": "sandbox-sage", "messages": [{"role": "user", "content": "/words 40"}], "max_tokens": 60} | more
    heads = {"Authorization": f"Bearer {secret}"}
    return requests.post(f"{stand_in.url}/litellm/v1/chat/completions", json=body, headers=heads, timeout=5)


def read(proxy: LiteLLMAdmin) -> dict[str, int]:
    found = spend_tasks.read(proxy, HOUSE)
    assert found is not None
    return found


def test_a_key_is_made_used_paid_and_revoked(shop, stand_in, proxy):
    made = make(shop, max_budget_micros=50 * CREDIT)
    push_all(proxy)

    told = chat(stand_in, made.secret, user=shop.bob.email)
    assert told.status_code == 200
    assert read(proxy) == {"charge": 1, "known": 0}
    (row,) = usage(shop)
    assert row.cost_nano_usd == proxy.user_info(shop.team_id).spend_nano > 0
    assert posted(shop.team_id) == 100 * CREDIT - row.credits_micros
    assert row.credits_micros == -(-row.cost_nano_usd // 10)

    push_all(proxy)
    # What was spent and what is left are what was there: an absolute budget does not move by use.
    assert proxy.user_info(shop.team_id).max_budget_nano == pytest.approx(10**9, abs=10)

    key_service.pause(key=again(made), actor="x")
    db.session.commit()
    push_all(proxy)
    assert chat(stand_in, made.secret).status_code == 401
    key_service.revoke(key=again(made), actor="x")
    db.session.commit()
    push_all(proxy)
    assert proxy.keys() == {}


def test_the_callback_and_the_log_say_the_same(shop, stand_in, proxy):
    made = make(shop)
    push_all(proxy)
    chat(stand_in, made.secret, stream=True)
    chat(stand_in, made.secret)
    (first, second) = SpendLog(stand_in.app.extensions["tokenboard-sandbox"].store).rows()
    heads = {"Authorization": "Bearer sandbox-callback"}
    db.session.commit()
    told = shop.app.test_client().post("/api/webhooks/litellm", json=[payload(first)], headers=heads)
    assert told.json == {"accepted": 1, "duplicates": 0, "rejected": 0}
    spend_tasks.sweep_spend()

    assert read(proxy) == {"charge": 1, "known": 1}
    assert {row.request_id for row in usage(shop)} == {first["request_id"], second["request_id"]}


def test_a_proxy_that_is_away_for_a_while_catches_up(shop, stand_in, proxy):
    stand_in.order("litellm/settings", {"database_down": True})
    made = make(shop)
    push_all(proxy)
    assert spend_tasks.read(proxy, HOUSE) is None
    assert queries.target("user", shop.team_id).last_error

    stand_in.order("litellm/settings", {"database_down": False})
    push_all(proxy)

    assert chat(stand_in, made.secret).status_code == 200
    assert read(proxy)["charge"] == 1
    assert queries.target("user", shop.team_id).last_error == ""


def test_one_that_was_edited_by_hand_is_put_right_and_said(shop, stand_in, proxy):
    made = make(shop, max_budget_micros=50 * CREDIT)
    push_all(proxy)
    secret = queries.secrets_of(made.key.id)[0]
    stand_in.order("litellm/edit", {"kind": "key", "id": secret.hash, "changes": {"max_budget": 900.0}})

    (drift,) = reconcile_tasks.compare_all(proxy).drifts
    push_all(proxy)

    assert "its budget was 900 USD instead of 0.5 USD" in drift
    assert proxy.key_info(secret.hash).max_budget_nano == 10**9 // 2
    assert reconcile_tasks.compare_all(proxy).drifts == ()


def test_one_that_began_anew_gets_everything_but_the_secrets(shop, stand_in, proxy):
    made = make(shop)
    push_all(proxy)
    stand_in.order("litellm/restart-empty", {})

    assert len(reconcile_tasks.compare_all(proxy).drifts) == 2
    push_all(proxy)

    assert proxy.user_info(shop.team_id).max_budget_nano == 10**9
    assert queries.secrets_of(made.key.id)[0].is_lost_at_proxy
    replaced = key_service.rotate(key=again(made), actor="x", overlap=timedelta(0))
    db.session.commit()
    push_all(proxy)
    assert chat(stand_in, replaced).status_code == 200


def test_the_wallet_is_overdrawn_by_at_most_what_was_under_way(shop, stand_in, proxy):
    """The bound of docs/litellm.md: with the mirror up to date, what is under way when the budget is reached."""
    made = make(shop)
    wallet = db.session.get_one(Workspace, shop.team_id).ledger_account_id
    ledger.spend(wallet_id=wallet, amount_micros=100 * CREDIT - 100_000, key="nearly-all")
    db.session.commit()
    push_all(proxy)

    answers = [chat(stand_in, made.secret).status_code for _ in range(40)]
    assert answers.count(200) >= 1
    assert set(answers[answers.index(422) :]) == {422}
    read(proxy)

    most = max(row.credits_micros for row in usage(shop))
    assert -most <= posted(shop.team_id) <= 0
    if posted(shop.team_id) < 0:
        assert again(made).pause_reason == "credits"
    push_all(proxy)
    assert proxy.key_info(queries.secrets_of(made.key.id)[0].hash).is_blocked

    fund(shop.team_id, 10)
    push_all(proxy)
    assert chat(stand_in, made.secret).status_code == 200
