"""Open WebUI at `/v1`: whom its signature names, whom a plain header names and when, how a refusal is read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.gateway.test_gateway import MODEL, QUESTION, SECRET, balance, events_of, records, signed
from tests.keys.making import again
from tests.metering.calling import price
from tests.people import People
from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db
from tokenboard.gateway.identity import HEADER, claimed_email
from tokenboard.keys import key_service, naming_service
from tokenboard.ledger import queries as ledger, service as books
from tokenboard.workspaces.models import Workspace

STREAMED = QUESTION | {"stream": True}


@pytest.fixture
def secret(shop: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open WebUI and this house share a secret."""
    known = shop.app.extensions["settings"]
    monkeypatch.setitem(shop.app.extensions, "settings", dataclasses.replace(known, openwebui_jwt_secret=SECRET))


def _wallet(shop: People, workspace_id: str) -> str:
    with shop.app.app_context():
        return str(db.session.get_one(Workspace, workspace_id).ledger_account_id)


def _available(shop: People, workspace_id: str) -> int:
    wallet = _wallet(shop, workspace_id)
    with shop.app.app_context():
        return ledger.balance(wallet).available_micros


def _empty(shop: People, workspace_id: str) -> None:
    wallet = _wallet(shop, workspace_id)
    with shop.app.app_context():
        books.spend(wallet_id=wallet, amount_micros=ledger.balance(wallet).available_micros, key="all")
        db.session.commit()


def _naming(shop: People, key_of: Callable, **limits: object) -> str:
    """A key of the team that may name people."""
    made = key_of(**limits)
    with shop.app.app_context():
        naming_service.allow(key=again(made), actor=shop.ada.id)
        db.session.commit()
    return str(made.secret)


def test_a_signed_identity_pays_from_that_persons_wallet(shop, ask, secret):
    before, team = _available(shop, shop.bob.workspace_id), balance(shop)
    answer = ask("sk-any", QUESTION, **{HEADER: signed("Bob@Example.com"), "X-OpenWebUI-Task": "title_generation"})

    assert answer.status_code == 200
    [record] = records(shop)
    assert (record.source, record.person_id, record.key_id) == ("openwebui", shop.bob.id, None)
    assert record.is_background
    assert before - _available(shop, shop.bob.workspace_id) == record.credits_micros > 0
    assert balance(shop) == team


def test_models_are_listed_before_a_person_has_an_account(shop, ask, secret):
    listed = ask("sk-any", path="/v1/models", **{HEADER: signed("newcomer@example.com")})

    assert MODEL in [one["id"] for one in listed.get_json()["data"]]
    assert ask("sk-any", path="/v1/models", **{HEADER: "forged"}).status_code == 401


def test_a_plain_header_beside_an_ordinary_key_says_nothing(shop, ask, key_of):
    before = _available(shop, shop.bob.workspace_id)
    answer = ask(key_of().secret, QUESTION, X_OpenWebUI_User_Email=shop.bob.email)

    assert answer.status_code == 200
    [record] = records(shop)
    assert (record.source, record.workspace_id) == ("gateway", shop.team_id)
    assert _available(shop, shop.bob.workspace_id) == before


def test_a_plain_header_beside_a_naming_key_names_who_pays(shop, ask, key_of):
    naming, before = _naming(shop, key_of), balance(shop)
    answer = ask(naming, QUESTION, X_OpenWebUI_User_Email=" Bob@Example.com ", X_OpenWebUI_Task="tags_generation")

    assert answer.status_code == 200
    [record] = records(shop)
    told = (record.source, record.person_id, record.workspace_id, record.is_background)
    assert told == ("openwebui", shop.bob.id, shop.bob.workspace_id, True)
    assert balance(shop) == before


def test_a_naming_key_names_nobody_once_it_is_taken_back_or_paused(shop, ask, key_of):
    made = key_of()
    with shop.app.app_context():
        naming_service.allow(key=again(made), actor=shop.ada.id)
        naming_service.end(key=again(made), actor=shop.ada.id)
        db.session.commit()
        acts = set(db.session.scalars(select(AuditEntry.act).where(AuditEntry.subject == made.key.id)))
    assert {"keys.naming_allowed", "keys.naming_ended"} <= acts
    ask(made.secret, QUESTION, X_OpenWebUI_User_Email=shop.bob.email)
    assert records(shop)[0].workspace_id == shop.team_id
    with shop.app.app_context():
        naming_service.allow(key=again(made), actor=shop.ada.id)
        key_service.pause(key=again(made), actor=shop.alice.id)
        db.session.commit()

    refused = ask(made.secret, QUESTION, X_OpenWebUI_User_Email=shop.bob.email, X_OpenWebUI_Task="title_generation")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "key_paused")


def test_a_naming_key_asks_only_its_models(shop, ask, key_of):
    naming = _naming(shop, key_of, models=("sandbox-sage",))
    answer = ask(naming, QUESTION, X_OpenWebUI_User_Email=shop.bob.email)

    assert answer.headers["X-TokenBoard-Refused"] == "model_not_allowed"
    assert records(shop) == []


def test_an_unknown_person_is_told_in_the_chat_where_to_sign_up(shop, ask, secret):
    answer = ask("sk-any", QUESTION, **{HEADER: signed("newcomer@example.com")})

    body = answer.get_json()
    assert (answer.status_code, body["object"]) == (200, "chat.completion")
    text = body["choices"][0]["message"]["content"]
    assert "no account for newcomer@example.com" in text
    assert "/register)" in text
    assert records(shop) == []


def test_an_empty_wallet_is_said_in_the_chat_with_a_link_also_streamed(shop, ask, secret):
    _empty(shop, shop.bob.workspace_id)
    answer = ask("sk-any", STREAMED, **{HEADER: signed(shop.bob.email)})
    events = events_of(answer.get_data(as_text=True))

    assert (answer.status_code, answer.mimetype, events[-1]) == (200, "text/event-stream", "[DONE]")
    assert answer.headers["X-TokenBoard-Refused"] == "insufficient_credits"
    chunks = [json.loads(one) for one in events[:-1]]
    text = "".join(one["choices"][0]["delta"].get("content", "") for one in chunks)
    assert "[Add credits](" in text
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert {one["model"] for one in chunks} == {MODEL}


def test_a_refusal_is_no_title_and_a_program_gets_the_error(shop, ask, key_of, secret):
    _empty(shop, shop.bob.workspace_id)
    titled = ask("sk-any", QUESTION, **{HEADER: signed(shop.bob.email), "X-OpenWebUI-Task": "title_generation"})
    assert (titled.status_code, titled.get_json()["error"]["code"]) == (402, "insufficient_credits")

    _empty(shop, shop.team_id)
    program = ask(key_of().secret, QUESTION)
    assert (program.status_code, program.get_json()["error"]["code"]) == (402, "insufficient_credits")


def test_a_wrong_signature_stays_an_error(shop, ask, secret):
    answer = ask("sk-any", QUESTION, **{HEADER: signed(shop.bob.email, secret="another-" + "s" * 32)})

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "invalid_identity")


def test_an_answer_that_breaks_off_says_why_in_the_chat(shop, ask, secret):
    with shop.app.app_context():
        price("fault-cut")
    answer = ask("sk-any", STREAMED | {"model": "fault-cut"}, **{HEADER: signed(shop.bob.email)})
    events = events_of(answer.get_data(as_text=True))

    assert events[-1] == "[DONE]"
    last = json.loads(events[-2])
    assert "](http" in last["choices"][0]["delta"]["content"]
    assert not any('"error"' in one for one in events)


def test_a_keys_requests_and_tokens_a_minute_are_held_here_too(shop, ask, key_of):
    made = key_of(rpm_limit=1)
    assert ask(made.secret, QUESTION).status_code == 200
    second = ask(made.secret, QUESTION)
    assert (second.status_code, second.get_json()["error"]["code"]) == (429, "rate_limited")
    assert 1 <= int(second.headers["Retry-After"]) <= 61
    assert "1 request a minute" in second.get_json()["error"]["message"]

    other = key_of(tpm_limit=1)
    assert ask(other.secret, QUESTION).status_code == 200
    assert ask(other.secret, QUESTION).status_code == 429
    assert ask(key_of().secret, QUESTION).status_code == 200


def test_whom_a_token_claims_to_name_is_read_unproven_to_count_by():
    assert claimed_email(signed("Bob@Example.com", secret="another-" + "s" * 32)) == "bob@example.com"
    for odd in ("", "x", "a.b.c", "a.W10.c", "é.é.é", "x" * 5_000):
        assert claimed_email(odd) == ""
