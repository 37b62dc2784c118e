"""A settled call is told to the rooms above, within the settlement and never at its cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.metering.calling import begin, held_and_posted, record, settle
from tests.people import People
from tokenboard.core.db import db
from tokenboard.metering import queries, service, text_service
from tokenboard.metering.facts import Outcome, UsageFact
from tokenboard.metering.models import CallPiece
from tokenboard.metering.signals import call_settled


@pytest.fixture
def heard() -> Iterator[list[UsageFact]]:
    """What a room above hears."""
    facts: list[UsageFact] = []

    def hear(_call_id: str, *, fact: UsageFact) -> None:
        facts.append(fact)

    with call_settled.connected_to(hear):
        yield facts


def test_every_settlement_is_told_once(shop: People, heard: list[UsageFact]):
    call = begin(shop, message_id=None)
    record(call, "Hello")

    settle(call)
    settle(call)

    assert [(fact.call_id, fact.status) for fact in heard] == [(call.id, "ok")]


def test_a_settlement_that_is_rolled_back_is_told_again(shop: People, heard: list[UsageFact]):
    call = begin(shop)
    service.settle(call_id=call.id, outcome=Outcome("ok"))
    db.session.rollback()

    settle(call, "stopped")

    assert [fact.status for fact in heard] == ["ok", "stopped"]


def test_a_room_that_fails_costs_no_settlement_and_leaves_nothing_behind(shop: People):
    call = begin(shop)
    record(call, "Hello")

    def fail(_call_id: str, *, fact: UsageFact) -> None:
        db.session.add(CallPiece(call_id=call.id, from_char=99, text="left behind"))
        db.session.flush()
        raise RuntimeError("a room's fault")

    with call_settled.connected_to(fail):
        settled = settle(call)

    assert settled.credits_micros > 0
    assert held_and_posted(call.wallet_id)[0] == 0
    assert queries.recorded_text(call.id) == ""


def test_a_text_is_taken_and_erased(shop: People):
    call = begin(shop, keeps_text=True)
    db.session.add_all([CallPiece(call_id=call.id, from_char=at, text=text) for at, text in ((0, "Hel"), (3, "lo"))])
    db.session.commit()

    assert text_service.take_text(call_id=call.id) == "Hello"
    assert text_service.take_text(call_id=call.id) == "Hello"
    text_service.erase_text(call_ids=[call.id])
    db.session.commit()
    assert text_service.take_text(call_id=call.id) == ""
