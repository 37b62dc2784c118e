"""The demo lives: keys, chats, credits bought and used. Its totals agree everywhere, and cost nobody anything."""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa
import time_machine

from tests.metering.calling import price
from tests.people import People
from tests.test_demo import NOON
from tokenboard.accounts.models import Person
from tokenboard.audit.models import Alert
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.clock import midnight
from tokenboard.core.db import db
from tokenboard.demo import service, traffic
from tokenboard.keys import queries as keys
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.keys.rules import KeyState
from tokenboard.ledger import glance_queries, invariants, queries as ledger, totals
from tokenboard.ledger.models import Transaction
from tokenboard.metering import house_queries, laws, queries as metering, rollup_service, usage_queries
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.usage_rules import By, Filters, Span
from tokenboard.notices.models import Notice
from tokenboard.workspaces.models import Workspace

SPAN = Span(date(2026, 10, 7), NOON.date())
NOVEMBER = Span(date(2026, 11, 1), NOON.date())


def _load(people: People) -> Workspace:
    price("sandbox-sage", output_nano_per_mtok=10 * 10**9)
    price("sandbox-swift")
    workspace = service.load(owner=db.session.get_one(Person, people.alice.id))
    db.session.commit()
    return workspace


def _entries(workspace: Workspace) -> list[tuple[str, int, datetime]]:
    mine = sa.select(Transaction.source, Transaction.amount_micros, Transaction.created_at)
    return [tuple(row) for row in db.session.execute(mine.where(Transaction.wallet_id == workspace.ledger_account_id))]


@time_machine.travel(NOON, tick=False)
def test_its_totals_are_the_same_everywhere_and_the_books_are_honest(people: People):
    with people.app.app_context():
        workspace = _load(people)
        entries = _entries(workspace)
        bought, used = (sum(one[1] for one in entries if (one[1] > 0) is is_in) for is_in in (True, False))

        assert len(entries) > 700
        assert ledger.balance(workspace.ledger_account_id).posted_micros == bought + used > 0
        found = {by: usage_queries.summary(workspace.id, SPAN, by) for by in By}
        assert {one.total.credits_micros for one in found.values()} == {-used}
        assert all(sum(item.sums.credits_micros for item in one.items) == -used for one in found.values())
        by_day = {item.key: item.sums.credits_micros for item in found[By.DAY].items if item.sums.credits_micros}
        booked = glance_queries.use_by_day(workspace.ledger_account_id, since=midnight(SPAN.first), but_source="adj")
        assert {str(one.day): one.micros for one in booked} == by_day
        for key in db.session.scalars(sa.select(VirtualKey)):
            month = usage_queries.summary(workspace.id, NOVEMBER, By.DAY, Filters(key_id=key.id))
            assert keys.spent_now([key]).get(key.id, 0) == month.total.credits_micros
        answers = sa.select(sa.func.sum(Message.credits_micros))
        chats = db.session.scalar(sa.select(sa.func.sum(Conversation.credits_micros)))
        assert 0 < chats == db.session.scalar(answers)
        assert chats == sum(one.credits_micros for one in db.session.scalars(_with_call()))

        assert invariants.check() == laws.check() == rollup_service.differences(workspace.id) == []
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Alert)) == 0


def _with_call() -> sa.Select[tuple[UsageRecord]]:
    return sa.select(UsageRecord).where(UsageRecord.call_id.is_not(None))


@time_machine.travel(NOON, tick=False)
def test_it_shows_what_the_pages_can_show(sqlite_people: People):
    with sqlite_people.app.app_context():
        workspace = _load(sqlite_people)
        found = {by: usage_queries.summary(workspace.id, SPAN, by) for by in By}

        assert len(found[By.MODEL].items) >= 6
        assert {"Mira Okafor", "Jonas Lind", "Priya Raman"} < {item.name for item in found[By.USER].items}
        assert {item.key for item in found[By.SOURCE].items} == {"chat", "key", "gateway", "openwebui"}
        total = found[By.DAY].total
        assert 0 < total.errors * 20 < total.requests
        assert total.latency_ms(95) > total.latency_ms(50) > total.first_token_ms(50) > 100
        mine = {line.key.name: line.key for line in keys.lines(workspace.id)}
        assert {key.state for key in mine.values()} == {KeyState.ACTIVE, KeyState.PAUSED}
        assert mine[traffic.ASSISTANT].max_budget_micros
        assert all(key.last_used_at for key in mine.values())
        assert [len(found[By.DAY].items), sum(not item.sums.requests for item in found[By.DAY].items)] == [45, 0]


@time_machine.travel(NOON, tick=False)
def test_loading_again_changes_nothing_and_a_day_later_it_goes_on(people: People):
    with people.app.app_context():
        workspace = _load(people)
        before = sorted(_entries(workspace))
        service.load(owner=db.session.get_one(Person, people.alice.id))
        db.session.commit()
        assert sorted(_entries(workspace)) == before

        with time_machine.travel(datetime(2026, 11, 21, 18, 5, tzinfo=UTC), tick=False):
            service.load(owner=db.session.get_one(Person, people.alice.id))
            db.session.commit()
            new = sorted(_entries(workspace))
        assert [one for one in new if one in before] == before
        assert {one[2].date() for one in new if one not in before} == {date(2026, 11, 20), date(2026, 11, 21)}
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Conversation)) == 3
        assert invariants.check() == laws.check() == []


@time_machine.travel(NOON, tick=False)
def test_it_stands_outside_every_total_and_tells_nobody(sqlite_people: People):
    with sqlite_people.app.app_context():
        before = totals.house_totals(), totals.credits_outstanding()
        workspace = _load(sqlite_people)

        assert house_queries.by_day_and_model(SPAN) == []
        assert (totals.house_totals(), totals.credits_outstanding()) == before
        assert metering.spent_this_month(sqlite_people.alice.id) == 0  # no cap of a real person counts it
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0
        assert set(db.session.scalars(sa.select(KeySecret.sealed))) == {""}
        made_up = db.session.scalars(sa.select(Person).where(Person.email.like("%northwind.example"))).all()
        assert [one.is_disabled for one in made_up] == [True] * 3
        service.put_away(workspace=workspace, actor=db.session.get_one(Person, sqlite_people.alice.id))
        db.session.commit()
        assert set(db.session.scalars(sa.select(VirtualKey.state))) == {KeyState.REVOKED}
        assert set(db.session.scalars(sa.select(Message.content))) == {""}
        assert invariants.check() == laws.check() == []
