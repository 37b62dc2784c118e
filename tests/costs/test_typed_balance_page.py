"""The prepaid balance that somebody types in, on the connections page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.costs.syncing import Syncing
from tokenboard.core.clock import today
from tokenboard.costs.models import TypedBalance

PAGE = "/settings/connections"


def form(syncing: Syncing, **more: str) -> dict[str, str]:
    return {"workspace_id": syncing.people.alice.workspace_id, "amount_nano": "5", "as_of_on": str(today())} | more


def test_it_is_shown_less_the_costs_since(outside: Syncing):
    alice = outside.people.browser(outside.people.alice)
    yesterday = today() - timedelta(days=1)

    answer = alice.post(f"{PAGE}/balance", form(outside, amount_nano="120.50", as_of_on=str(yesterday)))

    assert answer.status_code == 303
    [typed] = outside.rows(TypedBalance)
    assert (typed.amount_nano, typed.as_of_on) == (120_500_000_000, yesterday)
    assert "$120.50" in alice.get(PAGE).text


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"amount_nano": ""}, "Type the balance."),
        ({"amount_nano": "12,50"}, "Write an amount as 12 or 12.50."),
        ({"amount_nano": "-5"}, "Write an amount as 12 or 12.50."),
        ({"as_of_on": "yesterday"}, "Choose the day the balance was read on."),
        ({"as_of_on": "2001-01-01"}, "Choose a day of the last two years"),
        ({"as_of_on": "2199-01-01"}, "Choose a day of the last two years"),
    ],
)
def test_what_is_no_balance_is_said(sqlite_outside: Syncing, more: dict[str, str], sentence: str):
    alice = sqlite_outside.people.browser(sqlite_outside.people.alice)

    answer = alice.post(f"{PAGE}/balance", form(sqlite_outside, **more))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert sqlite_outside.rows(TypedBalance) == []
