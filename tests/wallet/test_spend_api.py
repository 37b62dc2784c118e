"""POST /api/credits/spend: all or nothing, once for each key, 402 when too little is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.people import Bearer, People, Someone

SPEND = "/api/credits/spend"
Program = Callable[[Someone], Bearer]
Posted = Callable[[str], int]


def _spend(program: Bearer, amount: Any = 1, key: str | None = "test-123", **more: Any) -> TestResponse:
    named = {} if key is None else {"idempotencyKey": key}
    headers = more.pop("headers", {})
    return program.post(SPEND, json={"amount": amount, "reason": "Summary"} | named | more, headers=headers)


def test_a_spend_takes_credits_and_names_its_entry(people: People, bearer: Program, posted: Posted):
    answer = _spend(bearer(people.alice), 1.5)

    assert answer.status_code == 200
    assert {"balance": 998.5, "balanceMicros": 998_500_000}.items() <= answer.json.items()
    assert len(answer.json["entryId"]) == 36
    assert posted(people.alice.workspace_id) == 998_500_000


def test_the_same_key_again_is_the_first_answer_again(people: People, bearer: Program, posted: Posted):
    program = bearer(people.alice)
    first = _spend(program)
    _spend(program, key="another")

    again = _spend(program)

    assert (again.status_code, again.json) == (200, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert posted(people.alice.workspace_id) == 998_000_000


@pytest.mark.parametrize("other", [{"amount": 2}, {"reason": "Another"}])
def test_the_same_key_for_something_else_is_a_conflict(
    people: People, bearer: Program, posted: Posted, other: dict[str, Any]
):
    program = bearer(people.alice)
    _spend(program)

    answer = program.post(SPEND, json={"amount": 1, "reason": "Summary", "idempotencyKey": "test-123"} | other)

    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_conflict")
    assert posted(people.alice.workspace_id) == 999_000_000


def test_keys_belong_to_their_wallet(people: People, bearer: Program, give: Callable[..., TestResponse]):
    give(workspaceId=people.team_id, amount=5)
    program = bearer(people.alice)
    first = _spend(program)

    in_the_team = _spend(program, 2, workspaceId=people.team_id)

    assert in_the_team.status_code == 200
    assert in_the_team.json["entryId"] != first.json["entryId"]


def test_the_key_may_come_as_a_header(people: People, bearer: Program):
    program = bearer(people.alice)
    first = _spend(program, key=None, headers={"Idempotency-Key": "test-123"})

    assert _spend(program).json == first.json
    assert _spend(program, headers={"Idempotency-Key": "test-123"}).json == first.json


def test_body_and_header_must_name_the_same_key(people: People, bearer: Program):
    answer = _spend(bearer(people.alice), headers={"Idempotency-Key": "other"})

    assert answer.status_code == 422
    assert "idempotencyKey" in answer.json["fields"]


@pytest.mark.parametrize("key", ["", "é", "a\nb", "x" * 256, 5, None])
def test_a_key_is_printable_ascii_and_must_be_there(people: People, bearer: Program, key: Any):
    answer = bearer(people.alice).post(SPEND, json={"amount": 1, "reason": "x", "idempotencyKey": key})

    assert answer.status_code == 422
    assert "idempotencyKey" in answer.json["fields"]


def test_too_little_is_402_with_what_there_is_and_nothing_is_spent(people: People, bearer: Program, posted: Posted):
    answer = _spend(bearer(people.alice), 1000.5)

    assert answer.status_code == 402
    assert answer.json["code"] == "insufficient_credits"
    told = {name: answer.json[name] for name in ("balance", "balanceMicros", "required")}
    assert told == {"balance": 1000, "balanceMicros": 1_000_000_000, "required": 1000.5}
    assert posted(people.alice.workspace_id) == 1_000_000_000


def test_a_refused_spend_may_be_tried_again_with_its_key(
    people: People, bearer: Program, give: Callable[..., TestResponse]
):
    program = bearer(people.alice)
    assert _spend(program, 1500).status_code == 402
    give(email="alice@example.com", amount=600)

    assert _spend(program, 1500).json["balance"] == 100


def test_members_spend_viewers_may_not_and_strangers_find_nothing(
    people: People, bearer: Program, give: Callable[..., TestResponse], posted: Posted
):
    give(workspaceId=people.team_id, amount=5)

    assert _spend(bearer(people.bob), workspaceId=people.team_id).status_code == 200
    assert _spend(bearer(people.vera), workspaceId=people.team_id).status_code == 403
    assert _spend(bearer(people.charlie), workspaceId=people.team_id).status_code == 404
    assert _spend(bearer(people.ada), workspaceId=people.team_id).status_code == 404
    assert people.app.test_client().post(SPEND, json={}, headers={"Authorization": "x"}).status_code == 401
    assert posted(people.team_id) == 4_000_000


NO_AMOUNTS = {
    "huge exponent": b"1e3000000",
    "impossible exponent": b"1e99999999999999999999",
    "NaN": b"NaN",
    "inf": b"Infinity",
    "minus inf": b"-Infinity",
    "inf by size": b"1e309",
    "negative": b"-1",
    "nought": b"0",
    "nought point nought": b"0.0",
    "bool": b"true",
    "null": b"null",
    "text": b'"5"',
    "Arabic digits": '"١٢"'.encode(),
    "bare Arabic digits": "١٢".encode(),
    "2^63": b"9223372036854775808",
    "2^63 in micros": b"9223372036854.775808",
    "beyond a billion": b"1000000000.000001",
    "seven decimals": b"0.0000001",
    "20-digit fraction": b"1.12345678901234567890",
    "many digits": b"1" * 5_000,
    "many decimals": b"0." + b"1" * 100_000,
    "tiny": b"1e-3000000",
    "list": b"[1]",
    "object": b'{"value": 1}',
}


@pytest.mark.parametrize("raw", NO_AMOUNTS.values(), ids=NO_AMOUNTS.keys())
def test_what_is_no_amount_is_422_within_a_tenth_of_a_second(sqlite_people: People, raw: bytes):
    program = sqlite_people.bearer(sqlite_people.alice)
    body = b'{"amount": ' + raw + b', "reason": "x", "idempotencyKey": "k"}'
    program.get("/api/billing/balance")  # the first request of an application is slower

    began = time.thread_time()
    answer = program.post(SPEND, data=body, headers={"Content-Type": "application/json"})
    took_seconds = time.thread_time() - began

    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert took_seconds < 0.1


def test_a_reason_with_an_address_or_a_key_is_kept_without_it(people: People, bearer: Program):
    program = bearer(people.alice)
    _spend(program, reason="for bob@example.com with sk-admin-123456789")

    kept = program.get("/api/credits/ledger").json["entries"][0]["description"]

    assert kept == "for b…@example.com with sk-admin-[hidden]"
