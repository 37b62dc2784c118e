"""What one person may: so much a month, so many answers at once, so many messages a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from tests.ledger.crowds import in_turns
from tests.metering.calling import CREDIT, Told, begin, fund, order, price, record, settle
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.metering import cap_service, laws, queries, rollup_service, service
from tokenboard.metering.errors import CapReached, TooManyMessages, TooManyStreams
from tokenboard.metering.facts import OpenCall
from tokenboard.metering.models import CapWindow
from tokenboard.workspaces.models import Membership

# "Hello there" and 1,000 tokens of answer: 91 × 250 + 1,000 × 1,000 micro-credits.
ONE_CALL = 91 * 250 + 1_000 * 1_000


def cap_person(person_id: str, cents: int | None) -> None:
    db.session.get_one(Person, person_id).monthly_budget_cents = cents
    db.session.commit()


def cap_member(people: People, person_id: str, cents: int | None) -> None:
    found = select(Membership).where(Membership.workspace_id == people.team_id, Membership.person_id == person_id)
    db.session.scalars(found).one().monthly_cap_cents = cents
    db.session.commit()


def windows() -> dict[str, tuple[int, int]]:
    """Spent and held by kind."""
    rows = db.session.execute(select(CapWindow.kind, CapWindow.spent_micros, CapWindow.held_micros)).all()
    db.session.rollback()
    return {kind: (spent, held) for kind, spent, held in rows}


def test_both_windows_hold_what_the_call_holds_and_keep_what_it_cost(shop: People):
    call = begin(shop, max_output_tokens=1_000)
    assert windows() == {"member": (0, ONE_CALL), "person": (0, ONE_CALL)}
    record(call, "Yes.")
    settle(call, usage=Told(9, 4))
    assert windows() == {"member": (6_250, 0), "person": (6_250, 0)}
    assert queries.spent_this_month(shop.bob.id) == 6_250
    assert laws.check() == []


def test_a_call_that_delivered_nothing_leaves_the_windows_as_they_were(shop: People):
    settle(begin(shop), "failed")
    assert windows() == {"member": (0, 0), "person": (0, 0)}


@pytest.mark.parametrize("kind", ["person", "member"])
def test_a_cap_shortens_the_last_answer_and_then_refuses(shop: People, kind: str):
    if kind == "person":
        cap_person(shop.bob.id, 2)
    else:
        cap_member(shop, shop.bob.id, 2)
    begin(shop, max_output_tokens=1_000)
    shorter = begin(shop, max_output_tokens=1_000)
    assert (shorter.is_shortened, shorter.max_output_tokens) == (True, (2 * CREDIT - ONE_CALL - 91 * 250) // 1_000)
    with pytest.raises(CapReached) as refused:
        begin(shop)
    db.session.rollback()
    assert refused.value.kind == kind
    assert refused.value.details == {"capCents": 2, "usedCents": 2}
    assert "$0.02" in refused.value.message


def test_a_members_cap_binds_in_its_workspace_only(shop: People):
    cap_member(shop, shop.bob.id, 0)
    with pytest.raises(CapReached):
        begin(shop)
    db.session.rollback()
    assert begin(shop, workspace_id=shop.bob.workspace_id).held_micros > 0


def test_a_cap_set_in_mid_month_knows_what_was_used(shop: People):
    call = begin(shop)
    record(call, "y" * 4_000)
    settle(call, usage=Told(9, 4_000))  # 4.00225 credits
    cap_person(shop.bob.id, 4)
    with pytest.raises(CapReached):
        begin(shop)


def test_a_new_month_begins_with_nothing_used_and_an_old_call_counts_in_its_own(shop: People):
    cap_person(shop.bob.id, 2)
    with time_machine.travel(datetime(2027, 1, 31, 23, 59, 55, tzinfo=UTC), tick=False):
        old = begin(shop, max_output_tokens=1_000)
    with time_machine.travel(datetime(2027, 2, 1, 0, 0, 5, tzinfo=UTC), tick=False):
        assert not begin(shop, max_output_tokens=1_000).is_shortened
        record(old, "Yes.")
        settle(old, usage=Told(9, 4))
        rows = db.session.execute(select(CapWindow.month, CapWindow.spent_micros, CapWindow.held_micros)).all()
    assert sorted(set(map(tuple, rows))) == [("2027-01", 6_250, 0), ("2027-02", 0, ONE_CALL)]


@pytest.mark.slow
def test_fifty_calls_at_once_never_pass_a_cap(people: People):
    with people.app.app_context():
        price()
        fund(people.team_id, 1_000)
        cap_person(people.bob.id, 5)
        db.session.remove()
        calls = [lambda: service.begin(order=order(people, max_output_tokens=1_000)) for _ in range(50)]
        answers: list[Any] = in_turns(people.app, [calls[start::8] for start in range(8)])
        opened = [one for one in answers if isinstance(one, OpenCall)]
        assert len(opened) == 5  # four whole ones and a shorter one
        assert sum(isinstance(one, CapReached) for one in answers) == 45
        held = sum(one.held_micros for one in opened)
        assert windows()["person"] == (0, held)
        assert held <= 5 * CREDIT


@pytest.mark.slow
def test_no_more_answers_at_once_than_a_person_may_have_also_when_all_ask_at_once(shop: People):
    most = settings().max_streams_per_person
    db.session.remove()
    calls = [lambda: service.begin(order=order(shop, source="gateway", max_output_tokens=16)) for _ in range(24)]
    answers = in_turns(shop.app, [calls[start::8] for start in range(8)])
    assert sum(isinstance(one, OpenCall) for one in answers) == most
    assert sum(isinstance(one, TooManyStreams) for one in answers) == 24 - most


def test_an_answer_that_ends_makes_room_for_the_next(shop: People):
    running = [begin(shop, max_output_tokens=16) for _ in range(settings().max_streams_per_person)]
    with pytest.raises(TooManyStreams) as refused:
        begin(shop)
    db.session.rollback()
    assert (refused.value.status, refused.value.retry_after_seconds) == (429, 5)
    settle(running[0], "stopped")
    begin(shop, max_output_tokens=16)


def test_messages_a_minute_are_counted_and_the_wait_is_told(shop: People):
    most = settings().messages_per_minute
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(most):
            settle(begin(shop, max_output_tokens=16), "stopped")
            clock.shift(timedelta(seconds=1))
        with pytest.raises(TooManyMessages) as refused:
            begin(shop)
        db.session.rollback()
        assert refused.value.retry_after_seconds == 60 - most + 1
        begin(shop, source="gateway", max_output_tokens=16)  # programs have their keys' own limits
        begin(shop, is_background=True, max_output_tokens=16)
        clock.shift(timedelta(seconds=refused.value.retry_after_seconds))
        begin(shop, max_output_tokens=16)


def test_usage_reported_late_counts_and_may_pass_the_cap(shop: People):
    cap_person(shop.bob.id, 1)
    month = f"{now():%Y-%m}"
    cap_service.add_spent(workspace_id=shop.team_id, person_id=shop.bob.id, month=month, spent_micros=3 * CREDIT)
    db.session.commit()
    assert queries.spent_this_month(shop.bob.id) == 3 * CREDIT
    with pytest.raises(CapReached):
        begin(shop)


def test_a_window_that_was_tampered_with_does_not_keep_credits_held(shop: People):
    call = begin(shop)
    db.session.execute(update(CapWindow).values(held_micros=0))
    db.session.commit()
    assert {one.law for one in laws.check()} == {"M5"}
    assert {one.kind for one in rollup_service.wrong_windows()} == {"member", "person"}
    db.session.rollback()
    record(call, "Yes.")
    assert settle(call, usage=Told(9, 4)).credits_micros == 6_250
    assert {alert.kind for alert in open_alerts()} == {"metering.cap_window"}


def test_what_windows_hold_is_built_again_from_the_open_calls(shop: People):
    call = begin(shop)
    db.session.execute(update(CapWindow).values(held_micros=1))
    db.session.commit()
    for window in rollup_service.wrong_windows():
        rollup_service.repair_window(window)
        db.session.commit()
    assert windows() == {"member": (0, call.held_micros), "person": (0, call.held_micros)}
    assert laws.check() == []
