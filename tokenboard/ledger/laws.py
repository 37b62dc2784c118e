"""What a law of the books is. `laws_of_accounts.py` and `laws_of_grants.py` state them, `invariants.py` runs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Law:
    """One law: its number (docs/money.md), what it says, and the query that finds what breaks it.

    The query answers rows of (subject's id, what is wrong), none when the books are honest, and runs on both
    databases unless `postgresql` has other words. `:due` is the instant before which nothing may be waiting.
    It reads every row: for the nightly job, the books page and the tests, not for a request.
    """

    number: str
    says: str
    query: str
    postgresql: str | None = None


# What the word SIGNED stands for in a query: a transfer (`moved`) seen from the wallet of its transaction (`act`),
# positive when it came in.
SIGNED = "CASE WHEN moved.credit_account_id = act.wallet_id THEN moved.amount_micros ELSE -moved.amount_micros END"
