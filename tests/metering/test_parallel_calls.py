"""Many at once: never below zero, never past a cap, one settlement a call."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from tests.ledger.crowds import at_once, in_turns
from tests.metering.calling import CREDIT, Told, begin, fund, held_and_posted, order, price, record
from tests.people import People
from tokenboard.core.db import db
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.errors import InsufficientCredits
from tokenboard.metering import service
from tokenboard.metering.facts import OpenCall, Outcome
from tokenboard.workspaces.models import Workspace

CLIENTS = 8


def lanes(calls: list[Any]) -> list[list[Any]]:
    return [calls[start::CLIENTS] for start in range(CLIENTS)]


def beginning(people: People, person_id: str, **more: Any):
    return lambda: service.begin(order=order(people, person_id=person_id, **more))


@pytest.mark.slow
def test_two_hundred_calls_at_once_for_twenty_are_twenty_and_never_below_zero(people: People):
    with people.app.app_context():
        price()
        # Each asks for 1,000 tokens: 91 × 250 + 1,000 × 1,000 micro-credits held.
        wallet_id = fund(people.team_id, 20 * (91 * 250 + 1_000 * 1_000) / CREDIT)
        db.session.remove()
        # Nobody in particular asks, so that no person's own limit is met first.
        calls = [beginning(people, None, max_output_tokens=1_000) for _ in range(200)]
        answers = in_turns(people.app, lanes(calls))
        opened = [one for one in answers if isinstance(one, OpenCall)]
        assert Counter(type(one) for one in answers) == {OpenCall: 20, InsufficientCredits: 180}
        assert held_and_posted(wallet_id) == (
            sum(one.held_micros for one in opened),
            ledger.balance(wallet_id).posted_micros,
        )
        assert ledger.balance(wallet_id).available_micros == 0


@pytest.mark.slow
def test_the_last_credits_go_to_shorter_answers_and_not_past_zero(people: People):
    with people.app.app_context():
        price()
        wallet_id = fund(people.team_id, 5.5)
        db.session.remove()
        calls = [beginning(people, None, max_output_tokens=1_000) for _ in range(40)]
        answers = in_turns(people.app, lanes(calls))
        opened = [one for one in answers if isinstance(one, OpenCall)]
        assert sum(one.is_shortened for one in opened) == 1
        assert all(isinstance(one, OpenCall | InsufficientCredits) for one in answers)
        found = ledger.balance(wallet_id)
        assert found.held_micros == sum(one.held_micros for one in opened) <= found.posted_micros


def test_eight_settlements_of_one_call_at_once_are_one(shop: People):
    wallet_id = db.session.get_one(Workspace, shop.team_id).ledger_account_id
    call = begin(shop)
    record(call, "y" * 40)
    outcomes = [Outcome("ok", Told(9, tokens)) for tokens in range(1, 9)]
    db.session.remove()
    settling = [partial(service.settle, call_id=call.id, outcome=outcome) for outcome in outcomes]
    answers = at_once(shop.app, settling)
    assert sum(not one.is_replay for one in answers) == 1
    charges = {one.credits_micros for one in answers}
    assert len(charges) == 1
    assert held_and_posted(wallet_id) == (0, 100 * CREDIT - charges.pop())
