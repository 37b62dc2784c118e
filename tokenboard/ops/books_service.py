"""Checking the books: every law of ledger and metering is asked, what it found is kept, an offender raises an alert.

Laws: the check finds and repairs nothing; reading and keeping are two transactions, so that a long check on SQLite
stops no writer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.audit import service as audit
from tokenboard.audit.alerts import raise_alert, resolve_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db, read_only
from tokenboard.core.upsert import insert
from tokenboard.ledger.invariants import LAWS, offenders
from tokenboard.metering.laws import METERING_LAWS
from tokenboard.ops.models import BooksLamp

ALERT_KIND = "ledger.books"
MOST_OFFENDERS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """What one law's query answered."""

    number: str
    says: str
    offenders: int
    first_offender: str
    checked_at: datetime


def examine() -> list[Finding]:
    """Ask every law now. Ends the transaction it was called in: nothing may have been written before."""
    db.session.rollback()
    found = []
    with read_only():
        for law in (*LAWS, *METERING_LAWS):
            broken = offenders(law, limit=MOST_OFFENDERS)
            first = f"{broken[0].subject}: {broken[0].what}" if broken else ""
            found.append(Finding(law.number, law.says, len(broken), first, now()))
        db.session.rollback()
    return found


def keep(found: list[Finding]) -> None:
    """Keep what was found, and raise or resolve an alert for each law."""
    for position, one in enumerate(found):
        _light(one, position)
        if one.offenders:
            message = f"The books break law {one.number} ({one.says}) First: {one.first_offender}"
            raise_alert(ALERT_KIND, subject=one.number, severity="critical", message=message)
        else:
            resolve_alert(ALERT_KIND, subject=one.number)


def _light(one: Finding, position: int) -> None:
    values = {
        "law": one.says,
        "position": position,
        "offenders": one.offenders,
        "first_offender": one.first_offender,
        "checked_at": one.checked_at,
    }
    if not one.offenders:
        values["last_clean_at"] = one.checked_at
    lamp = insert(BooksLamp).values(name=one.number, **values)
    db.session.execute(lamp.on_conflict_do_update(index_elements=["name"], set_=values))


def record_check(found: list[Finding], *, actor: str) -> None:
    """Note that an administrator had the books checked."""
    facts = {"laws": len(found), "broken": [one.number for one in found if one.offenders]}
    audit.record("ops.books_checked", actor=actor, facts=facts)
