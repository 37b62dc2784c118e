"""The law of movements between the house's own accounts: I19."""

from __future__ import annotations

from tokenboard.ledger.accounts import House
from tokenboard.ledger.laws import Law

_SHRINKAGE, _USAGE = (house.account_id for house in (House.SHRINKAGE, House.USAGE))

HOUSE_LAWS: tuple[Law, ...] = (
    Law(
        "I19",
        "What the house absorbs goes from shrinkage to usage, once for each key.",
        f"""
        SELECT CAST(id AS TEXT), kind || ' of ' || amount_micros || ' joins other accounts'
          FROM ledger_house_transfer
         WHERE CAST(debit_account_id AS TEXT) NOT IN ('{_SHRINKAGE}', '{_SHRINKAGE.replace("-", "")}')
            OR CAST(credit_account_id AS TEXT) NOT IN ('{_USAGE}', '{_USAGE.replace("-", "")}')
         UNION ALL
        SELECT min(CAST(id AS TEXT)), kind || ' key used ' || count(*) || ' times'
          FROM ledger_house_transfer GROUP BY kind, idempotency_key HAVING count(*) > 1
        """,  # noqa: S608 - two constants of ours
    ),
)
