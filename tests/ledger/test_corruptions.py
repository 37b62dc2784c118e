"""Nineteen planted corruptions, one a law, written with triggers and constraints off: each is found, none is repaired.

Each is the least that breaks its law and touches as few others as it can; which laws see it is written beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.ledger.stories import Wallet, broken_laws
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import invariants, service


@dataclass(frozen=True)
class Corruption:
    """What is written behind the ledger's back, and the laws that must see it; the first is the one it is meant for."""

    seen_by: tuple[str, ...]
    statements: tuple[str, ...]


ABSORBED = "UPDATE ledger_house_transfer SET credit_account_id = {new_id}"
WALLET = "(SELECT id FROM ledger_account WHERE kind = 'wallet')"
SPEND = "(SELECT id FROM ledger_transaction WHERE kind = 'spend')"
CAPTURED = "(SELECT id FROM ledger_hold WHERE state = 'captured')"

CORRUPTIONS = {
    "a balance is raised": Corruption(
        ("I1", "I16"), ("UPDATE ledger_account SET posted_micros = posted_micros + 5 WHERE kind = 'wallet'",)
    ),
    "held credits are forgotten": Corruption(
        ("I2",), ("UPDATE ledger_account SET held_micros = held_micros - 5 WHERE kind = 'wallet'",)
    ),
    "a wallet is flagged without reason": Corruption(
        ("I3",), ("UPDATE ledger_account SET is_overdrawn = true WHERE kind = 'wallet'",)
    ),
    "a transfer goes to an account that does not exist": Corruption(
        ("I4",), (f"UPDATE ledger_transfer SET credit_account_id = {{new_id}} WHERE transaction_id = {SPEND}",)
    ),
    "a trigger is gone": Corruption(("I5",), ("{drop_trigger}",)),
    "a key is used twice": Corruption(
        ("I6",),
        (
            "DROP INDEX uq_ledger_transaction_key",
            "UPDATE ledger_transaction SET idempotency_key = 'key-0' WHERE kind = 'grant'",
        ),
    ),
    "a payment is granted twice": Corruption(
        ("I7", "I12"),  # one of the two was a gift, and a gift has no payment
        (
            "DROP INDEX uq_ledger_transaction_payment",
            "UPDATE ledger_transaction SET payment = 'stripe:cs_1' WHERE kind = 'grant'",
        ),
    ),
    "a hold captured more than it held": Corruption(
        ("I8", "I13"), (f"UPDATE ledger_hold SET captured_micros = amount_micros + 1 WHERE id = {CAPTURED}",)
    ),
    "a hold is settled by something else": Corruption(
        ("I9",), ("UPDATE ledger_transaction SET kind = 'hold_expiry' WHERE kind = 'capture'",)
    ),
    "a link of the chain is missing": Corruption(
        ("I10",), (f"UPDATE ledger_transaction SET version = version + 100 WHERE id = {SPEND}",)
    ),
    "more was clawed back than the books say": Corruption(
        ("I11",), ("UPDATE ledger_grant SET clawed_back_micros = 7 WHERE number = 1",)
    ),
    "a grant claims to have been larger": Corruption(
        ("I12",), ("UPDATE ledger_grant SET amount_micros = amount_micros + 5 WHERE number = 1",)
    ),
    "a hold says another captured amount than was settled": Corruption(
        ("I13",), (f"UPDATE ledger_hold SET captured_micros = captured_micros - 1 WHERE id = {CAPTURED}",)
    ),
    "a lease is over and nobody swept": Corruption(
        ("I14",), ("UPDATE ledger_hold SET expires_at = '2020-01-01 00:00:00.000000+00:00' WHERE state = 'open'",)
    ),
    "credits vanish from a grant": Corruption(
        ("I15", "I16", "I17"),
        ("UPDATE ledger_grant SET remaining_micros = remaining_micros - 5 WHERE number = 1",),
    ),
    "a debt nobody made": Corruption(
        ("I16",),
        (f"INSERT INTO ledger_debt VALUES ({SPEND}, {WALLET}, 5, 5)",),
    ),
    "the head forgets an expiry": Corruption(
        ("I17",), ("UPDATE ledger_account SET next_grant_expiry_at = NULL WHERE kind = 'wallet'",)
    ),
    "a reversal undoes something else": Corruption(
        ("I18",), ("UPDATE ledger_transaction SET reverses_id = {new_id} WHERE kind = 'reversal'",)
    ),
    "what the house absorbs goes somewhere else": Corruption(("I19",), (ABSORBED,)),
}


def test_every_law_has_a_corruption_meant_for_it():
    assert [one.seen_by[0] for one in CORRUPTIONS.values()] == [law.number for law in invariants.LAWS]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_planted_corruption_is_found_by_its_law_and_not_repaired(books, name):
    corruption = CORRUPTIONS[name]
    honest_books()
    assert broken_laws(with_waiting=True) == []
    plant(db.session.connection(), corruption)
    found = {one.law for one in invariants.check()}
    assert found == set(corruption.seen_by)
    assert {one.law for one in invariants.check()} == found, "a check repairs nothing"
    db.session.rollback()
    assert broken_laws(with_waiting=True) == [], "the corruption is gone with its transaction"


def honest_books() -> None:
    """One wallet that has seen much: two grants, a spend, a reversal, two holds; and something the house absorbed."""
    wallet = Wallet()
    wallet.gift(50, expires=now().replace(year=2100))
    wallet.buy(100)
    wallet.spend(20)
    wallet.reverse(wallet.spend_late(3))
    wallet.capture(wallet.hold(10), 4)
    wallet.hold(5)
    service.absorb(amount_micros=7, key="call:1")
    db.session.commit()


def plant(connection: sa.Connection, corruption: Corruption) -> None:
    """Behind the ledger's back, in a transaction that the test rolls back."""
    is_postgresql = connection.dialect.name == "postgresql"
    drop = "DROP TRIGGER ledger_transfer_append_only ON ledger_transfer"
    words = {
        "new_id": "gen_random_uuid()" if is_postgresql else "lower(hex(randomblob(16)))",
        "drop_trigger": drop if is_postgresql else "DROP TRIGGER ledger_transfer_no_update",
    }
    guards_off = _without_guards_on_postgresql if is_postgresql else _without_guards_on_sqlite
    # The corruption that takes a guard away is the only one that needs them all in place first.
    with nullcontext() if "{drop_trigger}" in corruption.statements else guards_off(connection):
        for statement in corruption.statements:
            connection.exec_driver_sql(statement.format_map(words))


@contextmanager
def _without_guards_on_postgresql(connection: sa.Connection) -> Iterator[None]:
    """All DDL is taken back by the rollback."""
    connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
    checks = connection.exec_driver_sql(
        "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'c' AND conname LIKE 'ck_ledger%%'"
    ).all()
    for table, check in checks:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {check}")
    yield


@contextmanager
def _without_guards_on_sqlite(connection: sa.Connection) -> Iterator[None]:
    """Triggers go and come back."""
    triggers = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger%'"
    ).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
        for _, sql in triggers:
            connection.exec_driver_sql(sql)


def test_the_page_about_money_lists_every_law():
    page = (Path(__file__).resolve().parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
    assert [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| I")] == [
        law.number for law in invariants.LAWS
    ]
