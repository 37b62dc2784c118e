"""What the last check of the books found. Cheap: the laws themselves are not asked here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ops.models import BooksLamp

# The nightly check is a day apart; two hours for a worker that was restarting.
LATE_AFTER = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The books at the last check: balanced, broken, late or unchecked, in a word and a sentence."""

    status: str
    sentence: str
    checked_at: datetime | None
    broken: tuple[str, ...]

    @property
    def is_ok(self) -> bool:
        return self.status == "ok"


def lamps() -> list[BooksLamp]:
    """One for each law, in the order of the laws."""
    return list(db.session.scalars(select(BooksLamp).order_by(BooksLamp.position, BooksLamp.name)))


def verdict(found: list[BooksLamp]) -> Verdict:
    """What the lamps say together."""
    if not found:
        sentence = "The books have not been checked yet; the worker checks them when it starts, and every night."
        return Verdict("unchecked", sentence, None, ())
    checked_at = min(lamp.checked_at for lamp in found)
    broken = tuple(lamp.name for lamp in found if lamp.offenders)
    if broken:
        return Verdict("broken", f"Broken: {', '.join(broken)}.", checked_at, broken)
    if now() - checked_at > LATE_AFTER:
        return Verdict("late", "All laws held, but the last check is more than a day old.", checked_at, ())
    return Verdict("ok", f"All {len(found)} laws hold.", checked_at, ())
