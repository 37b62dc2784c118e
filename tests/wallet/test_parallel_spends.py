"""Many programs at once, over real HTTP, against two web processes: never a credit too much, never one too few.

`SPEND_ROUNDS=20 ./run test tests/wallet/test_parallel_spends.py` is the long profile.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.people import People
from tests.sizes import sized
from tests.wallet.served import served

SPEND = "/api/credits/spend"
ROUNDS = int(os.environ.get("SPEND_ROUNDS") or sized(1, 2))
CALLERS, CREDITS = 200, 100


@pytest.mark.slow
def test_two_hundred_spends_of_a_hundred_credits_are_a_hundred_each_time(
    people: People, give: Callable[..., TestResponse], posted: Callable[[str], int], tmp_path: Path
):
    token = people.bearer(people.alice).token
    with served(people.app, tmp_path) as site:
        for number in range(ROUNDS):
            give(workspaceId=people.team_id, amount=CREDITS, idempotencyKey=f"round-{number}")
            bodies = [
                {"amount": 1, "reason": "race", "idempotencyKey": f"{number}-{n}", "workspaceId": people.team_id}
                for n in range(CALLERS)
            ]

            answers = site.post_at_once(SPEND, token, bodies, source=f"127.0.1.{number + 1}")

            assert Counter(one.status for one in answers) == {200: CREDITS, 402: CALLERS - CREDITS}
            assert sorted(one.json["balance"] for one in answers if one.status == 200) == list(range(CREDITS))
            assert posted(people.team_id) == 0


@pytest.mark.slow
def test_fifty_requests_with_one_key_are_one_effect(people: People, posted: Callable[[str], int], tmp_path: Path):
    token = people.bearer(people.alice).token
    body = {"amount": 10, "reason": "once", "idempotencyKey": "test-123"}
    with served(people.app, tmp_path) as site:
        answers = site.post_at_once(SPEND, token, [body] * 50, source="127.0.2.1")
        other = site.post(SPEND, token, body | {"amount": 11}, source="127.0.2.1")

    assert {one.status for one in answers} == {200}
    assert len({str(one.json) for one in answers}) == 1
    assert sum(not one.is_replay for one in answers) == 1
    assert (other.status, other.json["code"]) == (409, "idempotency_conflict")
    assert posted(people.alice.workspace_id) == 990_000_000
