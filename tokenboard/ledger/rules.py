"""Pure decisions: which grants pay, what a settled hold frees, what two calls with one key have in common.

Law: credits burn soonest expiry first (never-expiring last), then promotional before included before paid, then oldest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tokenboard.ledger.errors import EntryRefused

# A billion credits. Far past any sale, and nine thousand of them still fit a BIGINT.
LARGEST_ENTRY_MICROS = 10**15
LARGEST_BALANCE_MICROS = 10**18
LONGEST_DESCRIPTION, LONGEST_SOURCE, LONGEST_PAYMENT = 200, 120, 255
LARGEST_BATCH = 1_000
# A reversal finds its grant expired: the credits come back for this long.
RESTORED_FOR = timedelta(days=30)

CATEGORY_PRIORITY = {"promotional": 10, "included": 20, "paid": 30}
_NEVER = datetime.max.replace(tzinfo=UTC)
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_UNKEPT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class Burnable(Protocol):
    """What the burn order looks at."""

    @property
    def id(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def priority(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def available_micros(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Share:
    """So much of one grant."""

    grant_id: str
    amount_micros: int


def burn_key(lot: Burnable) -> tuple[datetime, int, int]:
    """Sorts grants into the order they burn in."""
    return (lot.expires_at or _NEVER, lot.priority, lot.number)


def is_expired(expires_at: datetime | None, at: datetime) -> bool:
    """A grant is spendable before its expiry and not at it."""
    return expires_at is not None and expires_at <= at


def allocate(lots: Iterable[Burnable], amount_micros: int) -> list[Share]:
    """Which grants pay how much, in burn order; the shares sum to less when there is too little."""
    shares, wanted = [], amount_micros
    for lot in sorted(lots, key=burn_key):
        taken = min(lot.available_micros, wanted)
        if taken > 0:
            shares.append(Share(lot.id, taken))
            wanted -= taken
        if wanted == 0:
            break
    return shares


def split(allocations: Sequence[Share], captured_micros: int) -> tuple[list[Share], list[Share]]:
    """A hold's allocations, divided into what a capture takes (in their order) and what it frees."""
    taken, freed, wanted = [], [], captured_micros
    for share in allocations:
        part = min(share.amount_micros, wanted)
        wanted -= part
        if part:
            taken.append(Share(share.grant_id, part))
        if part < share.amount_micros:
            freed.append(Share(share.grant_id, share.amount_micros - part))
    return taken, freed


def input_hash(*inputs: object) -> str:
    """What a call asked for, as 32 hex digits: two calls with one key must agree in it."""
    return hashlib.blake2b(repr(inputs).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def require_amount(amount_micros: object, *, least: int = 1) -> int:
    """Raises: EntryRefused for anything but an integer within the ledger's range."""
    if isinstance(amount_micros, bool) or not isinstance(amount_micros, int):
        raise EntryRefused("amount", "An amount is a whole number of micro-credits.")
    if not least <= amount_micros <= LARGEST_ENTRY_MICROS:
        raise EntryRefused("amount", "An amount is more than nothing and at most a billion credits.")
    return amount_micros


def require_key(key: object) -> str:
    """Raises: EntryRefused for anything but 1 to 255 printable ASCII characters."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise EntryRefused("idempotencyKey", "A key has 1 to 255 printable ASCII characters.")
    return key


def require_text(field: str, value: str, longest: int) -> str:
    """Raises: EntryRefused for text that is too long, or that one of the two databases could not keep."""
    if len(value) > longest or _UNKEPT.search(value):
        raise EntryRefused(field, f"At most {longest} characters, none of them a control character.")
    return value
