"""`/v1` as a client of OpenAI meets it: answered, streamed, refused, and paid for once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import select

from tests.keys.making import again
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.gateway.assembling import Assembled
from tokenboard.gateway.identity import HEADER, IdentityNotUsable, read_identity
from tokenboard.keys import key_service
from tokenboard.ledger import queries as ledger, service as books
from tokenboard.ledger.invariants import check
from tokenboard.metering.models import CapWindow, MeteredCall
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.workspaces.models import Workspace

MODEL = "sandbox-swift"
QUESTION = {"model": MODEL, "messages": [{"role": "user", "content": "Group dates by month"}], "max_tokens": 200}
SECRET = "open-webui-" + "q8Zr2Lk5Vn7Xw3Bt" * 2


def records(shop) -> list[UsageRecord]:
    with shop.app.app_context():
        return list(db.session.scalars(select(UsageRecord)))


def balance(shop):
    with shop.app.app_context():
        return ledger.balance(db.session.get_one(Workspace, shop.team_id).ledger_account_id)


def events_of(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]


def test_a_question_is_answered_and_paid_for_once(shop, key_of, ask):
    before = balance(shop)
    answer = ask(key_of().secret, QUESTION)

    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["object"], body["choices"][0]["message"]["role"]) == ("chat.completion", "assistant")
    assert body["choices"][0]["message"]["content"]
    assert body["usage"]["completion_tokens"] > 0
    [record] = records(shop)
    after = balance(shop)
    assert (record.source, record.call_id) == ("gateway", answer.headers["X-TokenBoard-Call-Id"])
    assert before.posted_micros - after.posted_micros == record.credits_micros > 0
    assert after.held_micros == 0
    with shop.app.app_context():
        assert check() == []


def test_a_stream_is_passed_on_event_by_event_and_ends_with_done(shop, key_of, ask):
    asked = QUESTION | {"stream": True, "stream_options": {"include_usage": True}}
    answer = ask(key_of().secret, asked)
    events = events_of(answer.get_data(as_text=True))

    assert answer.mimetype == "text/event-stream"
    assert events[-1] == "[DONE]"
    chunks = [json.loads(one) for one in events[:-1]]
    assert all(one["object"] == "chat.completion.chunk" for one in chunks)
    assert "".join(one["choices"][0]["delta"].get("content") or "" for one in chunks if one["choices"])
    assert any(one.get("usage") for one in chunks)
    assert len(records(shop)) == 1


def test_usage_that_was_not_asked_for_is_left_out(shop, key_of, ask):
    answer = ask(key_of().secret, QUESTION | {"stream": True})

    assert '"usage"' not in answer.get_data(as_text=True)
    assert records(shop)[0].completion_tokens > 0


@pytest.mark.parametrize("secret", ["", "sk-tb-unknown", "not a key"])
def test_an_unknown_key_is_refused_as_openai_does(shop, ask, secret):
    answer = ask(secret, QUESTION)

    assert answer.status_code == 401
    assert answer.get_json()["error"]["type"] == "authentication_error"
    assert set(answer.get_json()["error"]) >= {"message", "type", "param", "code"}


def test_a_revoked_key_opens_nothing_from_then_on(shop, key_of, ask):
    made = key_of()
    with shop.app.app_context():
        key_service.revoke(key=again(made), actor=shop.alice.id)
        db.session.commit()

    assert ask(made.secret, QUESTION).status_code == 401
    assert records(shop) == []


def test_a_paused_key_says_so(shop, key_of, ask):
    made = key_of()
    with shop.app.app_context():
        key_service.pause(key=again(made), actor=shop.alice.id)
        db.session.commit()

    answer = ask(made.secret, QUESTION)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "key_paused")


def test_a_key_asks_only_its_models(shop, key_of, ask):
    made = key_of(models=("sandbox-sage",))

    answer = ask(made.secret, QUESTION)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "model_not_allowed")
    listed = ask(made.secret, path="/v1/models").get_json()["data"]
    assert [one["id"] for one in listed] == ["sandbox-sage"]


def test_an_empty_wallet_is_told_the_balance_and_where_to_top_up(shop, key_of, ask):
    made = key_of()
    with shop.app.app_context():
        wallet = db.session.get_one(Workspace, shop.team_id).ledger_account_id
        books.spend(wallet_id=wallet, amount_micros=ledger.balance(wallet).available_micros, key="all")
        db.session.commit()

    answer = ask(made.secret, QUESTION | {"stream": True})
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (402, "insufficient_credits", "insufficient_quota")
    assert (error["balance"], error["balanceMicros"]) == (0, 0)
    assert error["topUpUrl"].endswith("/credits")


def test_a_keys_budget_counts_and_ends_it(shop, key_of, ask):
    made = key_of(max_budget_micros=1)

    answer = ask(made.secret, QUESTION)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (402, "cap_reached")

    other = key_of(max_budget_micros=50_000_000)
    assert ask(other.secret, QUESTION).status_code == 200
    [record] = records(shop)
    with shop.app.app_context():
        window = db.session.scalar(
            select(CapWindow).where(CapWindow.kind == "key", CapWindow.subject_id == other.key.id)
        )
        assert (window.spent_micros, window.held_micros) == (record.credits_micros, 0)


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"model": 5}, "model"),
        ({"max_tokens": -1}, "max_completion_tokens"),
        ({"n": 3}, "n"),
    ],
)
def test_what_cannot_be_taken_is_named(shop, key_of, ask, changed, param):
    answer = ask(key_of().secret, QUESTION | changed)

    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, param)


def test_a_model_that_is_not_offered_is_not_found(shop, key_of, ask):
    answer = ask(key_of().secret, QUESTION | {"model": "nobody-knows"})

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "model_not_found")


def test_texts_are_embedded_and_paid_for(shop, key_of, ask):
    body = {"model": "sandbox-embed", "input": ["one", "two"]}
    answer = ask(key_of().secret, body, path="/v1/embeddings")

    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert len(answer.get_json()["data"]) == 2
    [record] = records(shop)
    assert record.credits_micros > 0
    assert balance(shop).held_micros == 0


def test_a_cookie_opens_nothing_here(shop):
    answer = shop.browser(shop.alice).post("/v1/chat/completions", json=QUESTION)

    assert answer.status_code == 401


def test_every_call_is_settled(shop, key_of, ask):
    made = key_of()
    ask(made.secret, QUESTION)
    ask(made.secret, QUESTION | {"stream": True}).get_data()

    with shop.app.app_context():
        states = list(db.session.scalars(select(MeteredCall.state)))
    assert states == ["settled", "settled"]


# ---- Open WebUI ----


def signed(email: str, *, secret: str = SECRET, lives: int = 300, issuer: str = "open-webui", begun: int = 0) -> str:
    at = int(now().timestamp()) + begun
    claims = {"iss": issuer, "email": email, "iat": at, "exp": at + lives}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def test_a_signed_identity_names_a_person(shop):
    assert read_identity(signed("Alice@Example.com"), SECRET).email == "alice@example.com"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        signed("alice@example.com", secret="another-" + "s" * 32),
        signed("alice@example.com", issuer="else"),
        signed("alice@example.com", lives=-400),
        signed("alice@example.com", lives=86_400),
        signed("alice@example.com", begun=3_600),
        signed("no address"),
    ],
)
def test_a_forged_old_or_long_lived_identity_is_nobody(token):
    with pytest.raises(IdentityNotUsable):
        read_identity(token, SECRET)


def test_without_a_secret_nothing_is_believed():
    with pytest.raises(IdentityNotUsable):
        read_identity(signed("alice@example.com"), "")


def test_a_plain_header_says_nothing(shop, ask):
    answer = ask("", QUESTION, X_OpenWebUI_User_Email=shop.alice.email)

    assert answer.status_code == 401


def test_an_identity_without_a_shared_secret_is_refused(shop, ask):
    answer = ask("sk-any", QUESTION, **{HEADER: signed(shop.alice.email)})

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "invalid_identity")


# ---- Putting together ----


def test_pieces_of_a_tool_call_are_put_together():
    assembled = Assembled()
    assembled.add(
        [
            b'{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{\\"a"}}]}}]}',
            b"garbage",
            b'{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\":1}"}}]}}]}',
            b'{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
        ]
    )
    body = assembled.completion(call_id="x", model="m", reason="ok")

    assert body["choices"][0]["message"]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert (body["id"], body["choices"][0]["finish_reason"]) == ("c", "tool_calls")


def test_a_key_that_ends_soon_still_answers(shop, key_of, ask):
    made = key_of(expires_at=now() + timedelta(hours=1))

    assert ask(made.secret, path="/v1/models").status_code == 200
