"""Every law of the books as one list: the tests, the nightly job and the administrators' books page run the same.

It finds and repairs nothing: what is wrong in a ledger is put right by a person, with a new transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from tokenboard.core import clock
from tokenboard.ledger.driver import Sql, ledger
from tokenboard.ledger.laws import SIGNED, Law
from tokenboard.ledger.laws_of_accounts import ACCOUNT_LAWS
from tokenboard.ledger.laws_of_grants import GRANT_LAWS
from tokenboard.ledger.laws_of_the_house import HOUSE_LAWS

LAWS: tuple[Law, ...] = (*ACCOUNT_LAWS, *GRANT_LAWS, *HOUSE_LAWS)
# How late the sweeper may be before it counts as broken (reference/reliability.md, I14).
WAITING_ALLOWED = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Offender:
    """Something that breaks a law: which law, which row, and what is wrong with it."""

    law: str
    subject: str
    what: str


def offenders(law: Law, *, limit: int = 100) -> list[Offender]:
    """The first so many rows that break one law."""
    books = ledger()
    due = {"due": books.at_in(clock.now() - WAITING_ALLOWED)}
    rows = books.run(_statement(law), due).fetchmany(limit)
    return [Offender(law.number, str(subject), what) for subject, what in map(tuple, rows)]


@cache
def _statement(law: Law) -> Sql:
    return Sql(law.query.replace("SIGNED", SIGNED), postgresql=law.postgresql)


def check(*, numbers: Iterable[str] = (), limit: int = 100) -> list[Offender]:
    """Run every law, or those named; an honest ledger answers nothing."""
    wanted = set(numbers)
    chosen = [law for law in LAWS if not wanted or law.number in wanted]
    return [offender for law in chosen for offender in offenders(law, limit=limit)]
