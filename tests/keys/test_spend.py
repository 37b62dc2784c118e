"""Spend read back: what each request means, and what it does to wallet, windows, mirror and usage."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import select

from tests.keys.making import CREDIT, again, make
from tests.keys.spending import HOUSE_KEY, book, booked, posted, record, usage
from tests.metering.calling import begin, fund, settle
from tests.providers.test_litellm_client import captured
from tokenboard.accounts.models import Person
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import key_service, queries
from tokenboard.keys.rules import Window, secret_hash, window_name
from tokenboard.keys.spend_models import SpendLine
from tokenboard.keys.spend_rules import request_key
from tokenboard.metering.models import CapWindow
from tokenboard.providers.litellm_records import callback_record, logged_record


def spent(kind: str, subject: str, window: str) -> int:
    found = select(CapWindow.spent_micros).where(CapWindow.kind == kind, CapWindow.subject_id == subject)
    return db.session.scalar(found.where(CapWindow.month == window)) or 0


def test_what_a_key_used_at_the_proxy_is_paid_once(shop):
    made = make(shop, window=Window.DAY)
    one = record(secret_hash(made.secret), end_user="someone@example.net")

    first, second = book(one), book(one, feed="log")

    assert (first, second) == ({"charge": 1, "known": 0}, {"known": 1})
    # 30,000 nano-USD at a cent a credit.
    assert posted(shop.team_id) == 100 * CREDIT - 3_000
    (row,) = usage(shop)
    assert (row.source, row.status, row.credits_micros, row.cost_nano_usd) == ("key", "ok", 3_000, 30_000)
    assert (row.key_id, row.person_id, row.balance_after_micros) == (made.key.id, shop.alice.id, posted(shop.team_id))
    secret = queries.secrets_of(made.key.id)[0]
    assert booked("key", secret.id) == booked("user", shop.team_id) == 30_000
    month = window_name(Window.MONTH, now())
    assert spent("key", made.key.id, window_name(Window.DAY, now())) == 3_000
    assert spent("person", shop.alice.id, month) == 3_000


def test_a_call_of_ours_is_compared_and_never_charged_again(shop):
    call = begin(shop)
    settle(call, usage=None)
    before = posted(shop.team_id)

    counts = book(record(HOUSE_KEY, litellm_call_id=call.id, end_user=shop.bob.email))

    assert counts["reconcile"] == 1
    assert posted(shop.team_id) == before
    line = db.session.scalars(select(SpendLine)).one()
    assert (line.call_id, line.cost_nano, line.workspace_id) == (call.id, 30_000, None)
    # The proxy counts it for the customer all the same.
    assert booked("customer", shop.bob.email) == 30_000


def test_a_call_id_that_a_keys_holder_made_up_spares_nothing(shop):
    call, made = begin(shop), make(shop)
    before = posted(shop.team_id)

    assert book(record(secret_hash(made.secret), litellm_call_id=call.id))["charge"] == 1
    assert posted(shop.team_id) == before - 3_000


def test_our_own_key_without_its_call_id_is_nobodys_charge(shop):
    assert book(record(HOUSE_KEY, end_user=shop.bob.email))["foreign"] == 1
    assert usage(shop) == []


def test_open_web_ui_straight_at_the_proxy_is_paid_by_the_person(shop):
    fund(shop.bob.workspace_id, 1)
    before = posted(shop.bob.workspace_id)

    counts = book(record(secret_hash("sk-openwebui"), end_user="Bob@Example.com"))

    assert counts["charge"] == 1
    assert posted(shop.bob.workspace_id) == before - 3_000
    (row,) = usage(shop)
    assert (row.source, row.person_id, row.workspace_id) == (
        "openwebui_direct",
        shop.bob.id,
        shop.bob.workspace_id,
    )
    assert booked("customer", "bob@example.com") == 30_000


def test_what_nobody_here_knows_is_kept_and_charged_to_nobody(shop):
    counts = book(record(secret_hash("sk-other"), end_user="stranger@example.net"))

    assert counts["foreign"] == 1
    assert db.session.scalars(select(SpendLine)).one().cost_nano == 30_000
    assert [alert.kind for alert in open_alerts()] == ["keys.foreign_spend"]
    assert usage(shop) == []


def test_a_refused_request_costs_nothing_and_is_seen(shop):
    made = make(shop)
    before = posted(shop.team_id)

    refused = {"status": "failure", "response_cost": 0.0, "error_code": "422"}
    assert book(record(secret_hash(made.secret), **refused))["refused"] == 1
    (row,) = usage(shop)
    assert (row.status, row.error_code, row.credits_micros, posted(shop.team_id)) == ("refused", "422", 0, before)


def test_a_failure_that_was_billed_is_paid(shop):
    made = make(shop)

    book(record(secret_hash(made.secret), status="failure", response_cost=1.395e-05, error_code="500"))

    (row,) = usage(shop)
    assert (row.status, row.cost_nano_usd) == ("interrupted", 13_950)


def test_numbers_that_cannot_be_are_kept_and_told(shop):
    made = make(shop)

    assert book(record(secret_hash(made.secret), prompt_tokens=-5))["odd"] == 1
    assert usage(shop) == []
    assert [alert.kind for alert in open_alerts()] == ["keys.odd_spend"]


def test_use_past_the_wallet_pauses_the_key_until_the_wallet_is_covered(shop):
    made = make(shop)
    quiet = make(shop)

    book(record(secret_hash(made.secret), response_cost=1.5))
    assert posted(shop.team_id) == -50 * CREDIT
    assert (again(made).state, again(made).pause_reason) == ("paused", "credits")
    assert again(quiet).state == "active"

    fund(shop.team_id, 49)
    assert again(made).state == "paused"
    fund(shop.team_id, 2)
    assert (again(made).state, again(made).pause_reason) == ("active", "")


def test_credits_do_not_resume_what_a_person_paused(shop):
    made = make(shop)
    key_service.pause(key=made.key, actor=shop.alice.id)
    db.session.commit()

    fund(shop.team_id, 10)

    assert again(made).pause_reason == "person"


def test_a_revoked_key_still_owes_what_it_used(shop):
    made = make(shop)
    key_service.revoke(key=made.key, actor=shop.alice.id)
    db.session.commit()

    assert book(record(secret_hash(made.secret), response_cost=1.5))["charge"] == 1
    assert again(made).state == "revoked"


def test_another_price_than_ours_is_charged_and_told_once_a_day(shop):
    made = make(shop)
    ours = record(secret_hash(made.secret), response_cost=0.00003, prompt_tokens=12)
    theirs = [record(secret_hash(made.secret), response_cost=0.0000315, prompt_tokens=12) for _ in range(3)]

    book(ours)
    assert open_alerts() == []
    book(*theirs)
    (alert,) = open_alerts()
    assert (alert.kind, alert.times) == ("keys.price_differs", 1)
    assert "31500 against 30000" in alert.message


def test_a_long_name_of_a_request_is_hashed(shop):
    assert request_key("chatcmpl-1") == "chatcmpl-1"
    assert request_key("x" * 255) == request_key("x" * 255) != request_key("x" * 254)
    assert len(request_key("é" * 200)) < 110


# ---- What a running proxy sent, through the real readers ----

OURS = (
    "stream_success",
    "nonstream_success",
    "mock_success",
    "client_disconnect",
    "midstream_error",
    "rate_limited_ok",
)
CALLBACKS = [
    # name, kind for a key of ours, usage status, nano-USD charged
    ("stream_success", "charge", "ok", 31_500),
    ("nonstream_success", "charge", "ok", 31_500),
    ("mock_success", "charge", "ok", 13_200),
    ("client_disconnect", "charge", "stopped", 30_600),
    ("midstream_error", "charge", "interrupted", 13_950),
    ("rate_limited_ok", "charge", "ok", 13_500),
    ("budget_exceeded", "refused", "refused", 0),
    ("bad_key", "refused", "refused", 0),
    ("key_blocked", "refused", "refused", 0),
    ("rate_limited", "refused", "refused", 0),
    ("redacted_and_trimmed", "refused", "failed", 0),
    ("upstream_500", "refused", "failed", 0),
    ("upstream_429", "refused", "refused", 0),
]


@pytest.mark.parametrize(("name", "kind", "status", "nano"), CALLBACKS)
def test_a_captured_payload_of_a_key_of_ours_has_its_effect(shop, name, kind, status, nano):
    made = make(shop)
    before = posted(shop.team_id)
    found = dataclasses.replace(callback_record(captured(f"generic_api/{name}")), key_hash=secret_hash(made.secret))

    assert book(found)[kind] == 1

    (row,) = usage(shop)
    assert (row.status, row.cost_nano_usd) == (status, nano)
    assert posted(shop.team_id) == before - -(-nano // 10)
    assert row.request_id == found.request_id


@pytest.mark.parametrize(("name", "kind", "status", "nano"), CALLBACKS)
def test_the_same_payload_of_a_stranger_has_none(shop, name, kind, status, nano):
    before = posted(shop.team_id), posted(shop.ada.workspace_id)
    db.session.get_one(Person, shop.ada.id).email = "ada@elsewhere.example"
    db.session.commit()

    assert book(callback_record(captured(f"generic_api/{name}")))["foreign" if nano else "refused"] == 1
    assert (posted(shop.team_id), posted(shop.ada.workspace_id)) == before
    assert usage(shop) == []


@pytest.mark.parametrize("name", [name for name, *_, nano in CALLBACKS if nano])
def test_the_same_payload_of_a_person_here_is_paid_by_the_person(shop, name):
    fund(shop.ada.workspace_id, 1)
    before = posted(shop.ada.workspace_id)
    found = callback_record(captured(f"generic_api/{name}"))

    assert book(found)["charge"] == 1
    assert posted(shop.ada.workspace_id) == before - -(-found.cost_nano // 10)


LOGS = ["spend_logs_v2", "spend_logs_v2_enduser", "spend_logs_v2_keyhash", "spend_logs_v2_last_page"]
LOGS += ["spend_logs_v2_status_failure", "spend_logs_v2_sort", "spend_logs_v2_request_id", "stream_spend_rows"]


@pytest.mark.parametrize("name", LOGS)
def test_captured_rows_of_the_log_are_booked_once_each(shop, name):
    rows = captured(f"admin/{name}")["response"]["data"]
    found = [logged_record(row) for row in rows]
    made = make(shop)
    mine = [dataclasses.replace(one, key_hash=secret_hash(made.secret)) for one in found]

    counts = book(*mine, feed="log")
    assert counts.get("charge", 0) == sum(1 for one in mine if one.is_success or one.cost_nano)
    assert counts.get("charge", 0) + counts.get("refused", 0) == len({one.request_id for one in mine})
    assert book(*mine) == {"known": len(mine)}
    assert sum(row.cost_nano_usd for row in usage(shop)) == sum(one.cost_nano for one in mine)
