"""What one credit is worth, frozen at the ledger's first entry.

Every stored amount is in credits. Were the value changed later, old sales and new usage would no longer be in the same
unit, and no sum in the books would mean anything.
"""

from __future__ import annotations

from tokenboard.core import clock
from tokenboard.core.money import usd_from_nano
from tokenboard.ledger.accounts import House
from tokenboard.ledger.driver import Ledger, Sql, ledger
from tokenboard.ledger.errors import CreditValueFrozen

_NAME = "credit_value_nano_usd"
_READ = Sql("SELECT value FROM ledger_setting WHERE name = :name")
_WRITE = Sql("""
INSERT INTO ledger_setting (name, value, changed_at) VALUES (:name, :value, :at)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at
""")
_ANY_ENTRY = Sql("SELECT 1 FROM ledger_transaction LIMIT 1")
_NEW_HOUSE = Sql("""
INSERT INTO ledger_account (id, kind, name, version, head_available_micros, is_overdrawn, overdrawn_reason, is_demo,
                            created_at)
VALUES (:id, 'house', :name, 0, 0, :no, '', :no, :at)
ON CONFLICT DO NOTHING
""")


def adopt_credit_value(*, credit_value_nano_usd: int) -> None:
    """Count in credits of this value. The application's start calls it, and so does every `open_account`.

    Before the first entry a new value replaces the old one; two processes that start at that moment with different
    settings may race, and the second one's next start says so.
    Raises: CreditValueFrozen when entries in another value exist.
    """
    books = ledger()
    row = books.row(_READ, {"name": _NAME})
    asked = str(credit_value_nano_usd)
    if row is not None and row.value == asked:
        return
    if row is not None and books.row(_ANY_ENTRY, {}) is not None:
        raise CreditValueFrozen(frozen=_usd(row.value), asked=_usd(asked))
    if row is None:
        _found_house(books)
    books.run(_WRITE, {"name": _NAME, "value": asked, "at": books.at_in(clock.now())})


def _usd(nano: str) -> str:
    return f"{usd_from_nano(int(nano)).normalize():f}"


def _found_house(books: Ledger) -> None:
    """The house's own accounts, once."""
    at = books.at_in(clock.now())
    books.run(
        _NEW_HOUSE,
        [{"id": books.id_in(house.account_id), "name": house.value, "no": False, "at": at} for house in House],
    )
