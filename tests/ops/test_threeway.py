"""Three-way books of a crafted month: each gap has its name, a closed month stays as it was, what is late is told."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import text, update
from sqlalchemy.exc import DatabaseError

from tests.metering.calling import price
from tests.ops.crafted_month import AFTERWARDS, CREDIT, D3, D20, OCTOBER, USD, bill, connect, craft, use
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import Month
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict, ValidationFailed
from tokenboard.costs.models import Connection, CostTotal
from tokenboard.ledger.invariants import check as ledger_check
from tokenboard.metering import laws
from tokenboard.ops import threeway_queries, threeway_service
from tokenboard.ops.threeway_models import BooksLine
from tokenboard.ops.threeway_rules import by_model
from tokenboard.workspaces import service as workspaces


@pytest.fixture
def october(people: People) -> Iterator[str]:
    """The month, seen on 10 November: the house's connection."""
    with people.app.app_context(), time_machine.travel(AFTERWARDS):
        yield craft(people)
        db.session.rollback()


@pytest.fixture
def crafted(people: People) -> Iterator[None]:
    """The same for the doors, which bring a context of their own."""
    with time_machine.travel(AFTERWARDS):
        with people.app.app_context():
            craft(people)
        yield


def _usd(line, *names: str) -> list[float]:
    return [getattr(line, f"{name}_nano") / USD for name in names]


_NAMES = ("bill", "metered", "foreign", "unpriced", "outside", "discount", "late", "paid", "markup", "shrinkage")


def test_a_crafted_month_adds_up_and_each_gap_has_its_name(october: str):
    found = threeway_queries.books(OCTOBER)

    assert {key: _usd(line, *_NAMES) for key, line in found.lines.items()} == {
        (D3, "gpt-4o"): [10, 8, 1.5, 0, 0.5, 0, 0, 8.8, 0.8, 0],
        (D3, "other"): [2, 0, 0, 0, 2, 0, 0, 0, 0, 0],
        (D20, "gpt-4o"): [8, 9.5, 0, 0, 0, -1.5, 0, 9.9, 0.9, 0.5],
        (D20, "o9-mini"): [1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    }
    assert _usd(found.total, *_NAMES) == [21, 17.5, 1.5, 1, 2.5, -1.5, 0, 18.7, 1.7, 0.5]
    assert list(by_model(found.lines)) == ["gpt-4o", "other", "o9-mini"]
    assert laws.check() == []
    assert [one for one in ledger_check() if one.law != "I14"] == []


def test_the_ledger_says_the_same_but_for_what_was_booked_in_another_month(october: str):
    found, november = threeway_queries.books(OCTOBER), threeway_queries.books(Month(2026, 11))
    # 220 of October's 1,870 credits were booked on 2 November.
    assert (found.taken_metered_micros, found.total.paid_micros) == (1_650 * CREDIT, 1_870 * CREDIT)
    assert (found.booked_late_micros, found.taken_other_micros) == (-220 * CREDIT, 7 * CREDIT)
    assert november.booked_late_micros == 220 * CREDIT


def test_a_closed_month_does_not_move_and_what_came_late_is_told(october: str, people: People):
    before = threeway_service.close(month=OCTOBER, actor=people.ada.id)
    db.session.commit()

    use(people, D20, cost=1, paid=110)
    more = update(CostTotal).where(CostTotal.on == D3, CostTotal.key == "images")
    db.session.execute(more.values(amount_nano=CostTotal.amount_nano + USD // 4))
    db.session.commit()

    frozen, now = threeway_queries.closed(OCTOBER), threeway_queries.books(OCTOBER)
    assert frozen.books.lines == before.lines
    assert (frozen.books.taken, frozen.books.settled_on) == (before.taken, before.settled_on)
    assert _usd(now.total, "bill", "metered", "paid") == [21.25, 18.5, 19.8]
    db.session.rollback()
    answer = people.bearer(people.ada).get(f"/api/admin/books?month={OCTOBER}").get_json()
    assert (answer["total"]["billUsd"], answer["total"]["requests"]) == (21, 5)
    since = answer["since"]
    assert (since["total"]["requests"], since["total"]["meteredUsd"], since["total"]["billUsd"]) == (1, 1, 0.25)
    assert {(line["date"], line["model"]) for line in since["lines"]} == {(str(D20), "gpt-4o"), (str(D3), "other")}
    page = people.browser(people.ada).get(f"/admin/books/month?month={OCTOBER}").get_data(as_text=True)
    assert "came late: +$1.00 metered, +$1.10 paid. The bill has moved by +$0.2500." in page
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.act == "ops.books_closed")).one()
    assert entry.facts["bill_nano"] == 21 * USD


def test_a_month_is_closed_once_and_its_rows_stay(october: str, people: People):
    threeway_service.close(month=OCTOBER, actor="cli")
    db.session.commit()
    with pytest.raises(Conflict):
        threeway_service.close(month=OCTOBER, actor="cli", anyway=True)
    for statement in ("UPDATE books_line SET bill_nano = 0", "DELETE FROM books_day", "DELETE FROM books_close"):
        with pytest.raises(DatabaseError):
            db.session.execute(text(statement))
        db.session.rollback()
    assert db.session.query(BooksLine).count() == 4


def test_a_month_is_closed_when_it_is_over_and_its_bill_has_settled(october: str, people: People):
    with pytest.raises(ValidationFailed):
        threeway_service.close(month=Month(2026, 11), actor="cli", anyway=True)
    late = update(Connection).where(Connection.id == october)
    db.session.execute(late.values(last_synced_at=AFTERWARDS.replace(day=2)))
    with pytest.raises(ValidationFailed):
        threeway_service.close(month=OCTOBER, actor="cli")
    # Two days of the month may still move: what is open on them is late, the rest keeps its name.
    assert threeway_service.close(month=OCTOBER, actor="cli", anyway=True).settled_on.isoformat() == "2026-10-29"


def test_without_a_bill_what_was_metered_is_late_and_others_bills_are_none_of_the_houses(people: People):
    with people.app.app_context(), time_machine.travel(AFTERWARDS):
        bill(connect(people.alice.workspace_id), D3, {"gpt-4o": 99})
        use(people, D3, cost=6, paid=660)
        db.session.commit()
        found = threeway_queries.books(OCTOBER)
        assert (found.sources, _usd(found.total, "bill", "metered", "late")) == ((), [0, 6, -6])


def test_a_key_that_is_connected_twice_counts_once(october: str, people: People):
    ada = db.session.get_one(Person, people.ada.id)
    twin = connect(workspaces.create(owner=ada, name="Another of Ada's").id)
    same = db.session.get_one(Connection, october).key_fingerprint
    db.session.execute(
        update(Connection).where(Connection.id == twin).values(key_fingerprint=same, created_at=AFTERWARDS)
    )
    bill(twin, D3, {"images": 2})
    db.session.commit()
    found = threeway_queries.books(OCTOBER)
    assert (_usd(found.total, "bill"), len(found.sources)) == ([21], 1)


def test_a_model_whose_makers_bill_is_not_read_is_late_and_no_discount(october: str, people: People):
    price("claude", provider="anthropic")
    use(people, D3, cost=1, paid=110, model="claude")
    db.session.commit()
    line = threeway_queries.books(OCTOBER).lines[D3, "claude"]
    assert _usd(line, "late", "discount", "markup") == [-1, 0, 0.1]


# Doors


def test_page_file_json_and_terminal_say_the_same(crafted: None, people: People):
    ada = people.browser(people.ada)
    page = ada.get(f"/admin/books/month?month={OCTOBER}").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(ada.get(f"/admin/books/month.csv?month={OCTOBER}").get_data(as_text=True))))
    total = people.bearer(people.ada).get(f"/api/admin/books?month={OCTOBER}").get_json()["total"]
    told = people.app.test_cli_runner().invoke(args=["books", "show", str(OCTOBER)]).output

    for words in ("$21.00", "$17.50", "−$2.50", "+$1.50", "$18.70", "−$0.5000", "openai …0042 of"):
        assert words in page, words
    assert (rows[-1]["Bill USD"], rows[-1]["Paid credits"]) == ("21.000000000", "1870.000000")
    assert (total["outsideUsd"], total["shrinkageUsd"], total["paidCredits"]) == (2.5, 0.5, 1870)
    assert "$18.70" in told


def test_the_page_closes_a_month_and_the_terminal_finds_it_closed(crafted: None, people: People):
    ada = people.browser(people.ada)
    answer = ada.post("/admin/books/close", {"month": str(OCTOBER)})
    again = people.app.test_cli_runner().invoke(args=["books", "close", str(OCTOBER)])

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/admin/books/month?month={OCTOBER}")
    assert "closed before" in again.output
    assert again.exit_code == 1
    page = ada.get(f"/admin/books/month?month={OCTOBER}").get_data(as_text=True)
    assert "Nothing has changed since." in page


def test_the_terminal_closes_a_month(crafted: None, people: People):
    done = people.app.test_cli_runner().invoke(args=["books", "close", str(OCTOBER)])
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"{OCTOBER} is closed.\n")


def test_json_closes_a_month_once(crafted: None, people: People):
    program = people.bearer(people.ada)
    asked = {"month": str(OCTOBER)}
    assert program.post("/api/admin/books/close", json=asked).get_json()["closedAt"]
    assert program.post("/api/admin/books/close", json=asked).status_code == 409
    assert program.post("/api/admin/books/close", json={"month": "2026-11"}).status_code == 422
    assert program.get("/api/admin/books?month=2026-13").status_code == 422


def test_foreign_spend_and_prices_are_named(crafted: None, people: People):
    page = people.browser(people.ada).get("/admin/books/foreign?days=90").get_data(as_text=True)
    answer = people.bearer(people.ada).get("/api/admin/books/foreign?days=60").get_json()
    assert "eve@example.com" in page
    assert "abababababab…" in page
    assert answer["kinds"] == [{"kind": "foreign", "requests": 1, "usd": 1.5}]
    assert [(one["customer"], one["usd"]) for one in answer["foreign"]] == [("eve@example.com", 1.5)]
    assert answer["prices"] == []
