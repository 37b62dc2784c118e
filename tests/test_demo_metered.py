"""The demo lives: keys, chats, credits bought and used. Its totals agree everywhere, and cost nobody anything."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
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
from tokenboard.demo import company, metered, traffic
from tokenboard.keys import key_service, queries as keys, rules, using
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.keys.rules import KeyState
from tokenboard.ledger import glance_queries, invariants, queries as ledger, totals
from tokenboard.ledger.models import Transaction
from tokenboard.metering import house_queries, laws, queries as metering, rollup_service, usage_queries
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.usage_rules import By, Filters, Span
from tokenboard.notices.models import Notice
from tokenboard.workspaces import service as workspaces
from tokenboard.workspaces.errors import MadeUp
from tokenboard.workspaces.models import Workspace

SPAN = Span(date(2026, 10, 7), NOON.date())
NOVEMBER = Span(date(2026, 11, 1), NOON.date())


def _alice(people: People) -> Person:
    return db.session.get_one(Person, people.alice.id)


def _tell(people: People, workspace: Workspace | None = None) -> Workspace:
    """The demo without its bill, which is told in test_demo.py."""
    if workspace is None:
        price("sandbox-sage", output_nano_per_mtok=10 * 10**9)
        price("sandbox-swift")
        workspace = workspaces.create(owner=_alice(people), name=company.NAME, is_demo=True)
    metered.tell(workspace=workspace, owner=_alice(people))
    db.session.commit()
    return workspace


def _entries(workspace: Workspace) -> set[tuple[str, int, datetime]]:
    found = sa.select(Transaction).where(Transaction.wallet_id == workspace.ledger_account_id)
    return {(one.id, one.amount_micros, one.created_at) for one in db.session.scalars(found)}


def _sum(column: sa.SQLColumnExpression[int], *where: sa.ColumnElement[bool]) -> int:
    return db.session.scalar(sa.select(sa.func.sum(column)).where(*where)) or 0


@time_machine.travel(NOON, tick=False)
def test_its_totals_are_the_same_everywhere_and_the_books_are_honest(people: People):
    with people.app.app_context():
        outside = totals.house_totals(), totals.credits_outstanding()
        workspace = _tell(people)
        entries = [one[1] for one in _entries(workspace)]
        bought, used = sum(one for one in entries if one > 0), -sum(one for one in entries if one < 0)

        assert len(entries) > 700
        assert ledger.balance(workspace.ledger_account_id).posted_micros == bought - used > 0
        found = {by: usage_queries.summary(workspace.id, SPAN, by) for by in By}
        assert {one.total.credits_micros for one in found.values()} == {used}
        assert {sum(item.sums.credits_micros for item in one.items) for one in found.values()} == {used}
        booked = glance_queries.use_by_day(workspace.ledger_account_id, since=midnight(SPAN.first), but_source="none")
        assert [one.micros for one in booked] == [item.sums.credits_micros for item in found[By.DAY].items]
        for key in db.session.scalars(sa.select(VirtualKey)):
            month = usage_queries.summary(workspace.id, NOVEMBER, By.DAY, Filters(key_id=key.id)).total
            assert keys.spent_now([key]).get(key.id, 0) == month.credits_micros
        chats = _sum(UsageRecord.credits_micros, UsageRecord.call_id.is_not(None))
        assert 0 < chats == _sum(Message.credits_micros) == _sum(Conversation.credits_micros)

        assert [*invariants.check(), *laws.check(), *rollup_service.differences(workspace.id)] == []
        assert (totals.house_totals(), totals.credits_outstanding()) == outside  # a demo stands outside
        assert house_queries.by_day_and_model(SPAN) == []
        assert metering.spent_this_month(people.alice.id) == 0  # no cap of a real person counts it
        assert [_count(row) for row in (Notice, Alert)] == [0, 0]


def _count(row: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(row)) or 0


@time_machine.travel(NOON, tick=False)
def test_it_shows_what_pages_can_show_goes_on_day_by_day_and_is_put_away(sqlite_people: People):
    with sqlite_people.app.app_context():
        workspace = _tell(sqlite_people)
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

        before = _entries(workspace)
        _tell(sqlite_people, workspace)
        assert _entries(workspace) == before
        with time_machine.travel(datetime(2026, 11, 21, 18, 5, tzinfo=UTC), tick=False):
            _tell(sqlite_people, workspace)
        assert before < _entries(workspace)
        assert {one[2].date() for one in _entries(workspace) - before} == {date(2026, 11, 20), date(2026, 11, 21)}
        assert _count(Conversation) == 3

        metered.put_away(workspace=workspace, actor=_alice(sqlite_people))
        assert set(db.session.scalars(sa.select(VirtualKey.state))) == {KeyState.REVOKED}
        assert set(db.session.scalars(sa.select(Message.content))) == {""}
        assert set(db.session.scalars(sa.select(KeySecret.sealed))) == {""}
        made_up = db.session.scalars(sa.select(Person).where(Person.email.endswith(".example"))).all()
        assert [one.is_disabled for one in made_up] == [True] * 3
        assert [*invariants.check(), *laws.check(), *rollup_service.differences(workspace.id)] == []


class _Live:
    """Clients of a house whose models cost money."""

    def mode(self, _provider: str) -> str:
        return "live"

    def chat(self) -> None:
        return None


def test_made_up_credits_pay_for_nothing_real(sqlite_people: People, monkeypatch: pytest.MonkeyPatch):
    with sqlite_people.app.app_context():
        price("sandbox-swift")
        demo = workspaces.create(owner=_alice(sqlite_people), name=company.NAME, is_demo=True)
        made = key_service.create_key(workspace=demo, person=_alice(sqlite_people), name="k", limits=rules.Limits())
        db.session.commit()
        assert using.open_key(made.secret or "").key.name == "k"  # the sandbox costs nothing
        monkeypatch.setitem(sqlite_people.app.extensions, "clients", _Live())
        with pytest.raises(MadeUp):
            using.open_key(made.secret or "")
        demo_id = demo.id
    alice = sqlite_people.bearer(sqlite_people.alice)
    paid = {"amount": 1, "reason": "mine", "idempotencyKey": "demo-1", "workspaceId": demo_id}

    answers = [
        alice.post("/api/credits/spend", paid),
        alice.post("/api/example/use-credits", {"workspaceId": demo_id}),
        alice.post("/api/chat", {"message": "Hello?", "workspaceId": demo_id}),
    ]

    assert [(one.status_code, one.json["code"]) for one in answers] == [(409, "demo_workspace")] * 3
