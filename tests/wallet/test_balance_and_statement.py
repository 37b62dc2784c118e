"""GET /api/billing/balance and /api/credits/ledger; balances beside people and workspaces."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.people import Bearer, People, Someone
from tokenboard.core.clock import iso, now

BALANCE, LEDGER, SPEND = "/api/billing/balance", "/api/credits/ledger", "/api/credits/spend"
Program = Callable[[Someone], Bearer]


def _spend(program: Bearer, amount: float, key: str, **more: str) -> None:
    body = {"amount": amount, "reason": f"act {key}", "idempotencyKey": key}
    assert program.post(SPEND, json=body | more).status_code == 200


def test_a_balance_says_what_is_there_held_and_available(people: People, bearer: Program):
    answer = bearer(people.alice).get(BALANCE)

    assert answer.status_code == 200
    assert answer.json == {"balance": 1000, "balanceMicros": 1_000_000_000, "held": 0, "available": 1000}


def test_without_a_workspace_it_is_the_callers_own(people: People, bearer: Program):
    program = bearer(people.alice)

    assert program.get(f"{BALANCE}?workspaceId={people.team_id}").json["balance"] == 0
    assert program.get(f"{BALANCE}?workspaceId={people.alice.workspace_id}").json == program.get(BALANCE).json


@pytest.mark.parametrize("path", [BALANCE, LEDGER])
def test_members_read_strangers_find_nothing_and_nobody_else_enters(people: People, bearer: Program, path: str):
    asked = f"{path}?workspaceId={people.team_id}"

    assert bearer(people.vera).get(asked).status_code == 200
    assert bearer(people.charlie).get(asked).status_code == 404
    assert people.app.test_client().get(asked).status_code == 401


def test_the_ledger_shows_every_movement_with_the_balance_after_it(people: People, bearer: Program):
    program = bearer(people.alice)
    _spend(program, 0.25, "a")

    spent, given = program.get(LEDGER).json["entries"]

    assert given | {"id": "", "createdAt": ""} == {
        "id": "",
        "kind": "grant",
        "amount": 1000,
        "amountMicros": 1_000_000_000,
        "balanceAfter": 1000,
        "balanceAfterMicros": 1_000_000_000,
        "description": "Welcome credits",
        "source": "wallet:signup",
        "createdAt": "",
    }
    assert (spent["kind"], spent["amount"], spent["balanceAfter"]) == ("spend", -0.25, 999.75)
    assert spent["createdAt"] <= iso(now())


def test_the_ledger_is_read_page_by_page_and_by_kind(people: People, bearer: Program):
    program = bearer(people.alice)
    for number in range(5):
        _spend(program, 1, str(number))

    first = program.get(f"{LEDGER}?limit=2&kind=spend").json
    second = program.get(f"{LEDGER}?limit=2&kind=spend&cursor={first['nextCursor']}").json
    third = program.get(f"{LEDGER}?limit=2&kind=spend&cursor={second['nextCursor']}").json

    read = [entry["description"] for page in (first, second, third) for entry in page["entries"]]
    assert read == ["act 4", "act 3", "act 2", "act 1", "act 0"]
    assert third["nextCursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=-1", "kind=gold"])
def test_a_page_that_cannot_be_asked_for_is_refused_by_name(people: People, bearer: Program, query: str):
    answer = bearer(people.alice).get(f"{LEDGER}?{query}")

    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json["fields"]


def test_people_and_workspaces_carry_their_balances(people: People, bearer: Program):
    program = bearer(people.alice)
    _spend(program, 1.5, "a")

    me = program.get("/api/me").json

    assert (me["user"]["balance"], me["user"]["balanceMicros"]) == (998.5, 998_500_000)
    assert {one["name"]: one["balance"] for one in me["workspaces"]} == {"Alice’s workspace": 998.5, "Acme": 0}
    assert program.get("/api/workspaces").json["workspaces"] == me["workspaces"]
    assert program.get("/api/summary").json["credits"] == 998.5
    assert program.get(f"/api/summary?workspaceId={people.team_id}").json["credits"] == 0


def test_registering_and_signing_in_answer_with_the_balance(people: People):
    client = people.app.test_client()
    asked = {"email": "zoe@example.com", "password": people.alice.password}

    assert client.post("/api/auth/register", json=asked).json["user"]["balance"] == 1000
    assert client.post("/api/auth/login", json=asked).json["user"]["balanceMicros"] == 1_000_000_000
