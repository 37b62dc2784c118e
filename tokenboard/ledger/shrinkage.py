"""What the house takes upon itself, booked between two of its own accounts: `shrinkage` pays `usage`.

No wallet has a part in it, so it is no transaction of a wallet's chain: it is a house transfer, append-only as those.
Import it from `tokenboard.ledger.service`.
"""

from __future__ import annotations

from tokenboard.core import clock
from tokenboard.core.db import new_id
from tokenboard.ledger.accounts import House
from tokenboard.ledger.driver import Sql, id_out, ledger
from tokenboard.ledger.errors import IdempotencyConflict
from tokenboard.ledger.rules import (
    LONGEST_DESCRIPTION,
    LONGEST_SOURCE,
    input_hash,
    require_amount,
    require_key,
    require_text,
)

_NEW = Sql("""
INSERT INTO ledger_house_transfer (id, kind, idempotency_key, input_hash, debit_account_id, credit_account_id,
                                   amount_micros, description, source, is_demo, created_at)
VALUES (:id, 'absorption', :key, :input_hash, :debit_id, :credit_id, :amount, :description, :source, :is_demo, :at)
ON CONFLICT (kind, idempotency_key) DO NOTHING
RETURNING id
""")
_FOUND = Sql("""
SELECT id, input_hash FROM ledger_house_transfer WHERE kind = 'absorption' AND idempotency_key = :key
""")


def absorb(*, amount_micros: int, key: str, description: str = "", source: str = "", is_demo: bool = False) -> str:
    """Usage that no wallet pays for: the house does. The transfer's id. `is_demo`: it stands outside every total.

    Idempotent: by `key`, in the whole house. Raises: IdempotencyConflict, EntryRefused.
    """
    books = ledger()
    values = {
        "id": books.id_in(new_id()),
        "key": require_key(key),
        "input_hash": input_hash(require_amount(amount_micros), source),
        "debit_id": books.id_in(House.SHRINKAGE.account_id),
        "credit_id": books.id_in(House.USAGE.account_id),
        "amount": amount_micros,
        "description": require_text("description", description, LONGEST_DESCRIPTION),
        "source": require_text("source", source, LONGEST_SOURCE),
        "is_demo": is_demo,
        "at": books.at_in(clock.now()),
    }
    row = books.row(_NEW, values)
    if row is not None:
        return id_out(row.id)
    found = books.row(_FOUND, {"key": key})
    assert found is not None, "the key was taken"
    if found.input_hash != values["input_hash"]:
        raise IdempotencyConflict
    return id_out(found.id)
