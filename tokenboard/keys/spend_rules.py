"""What a reported request means: who pays for it, if anybody. Pure; the one place of it.

| kind | is | effect |
| --- | --- | --- |
| `charge` | a key of ours straight at the proxy, or a person of ours without one (Open WebUI) | paid from credits |
| `reconcile` | a call that chat or `/v1` made: it was held and settled here | its cost stands beside ours |
| `refused` | it failed and cost nothing | a record without a charge, where it is known whose it is |
| `foreign` | a key and a person that nobody knows here | kept and counted |
| `odd` | its numbers cannot be | kept, and the operator told |
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from tokenboard.providers.litellm_objects import SpendRecord

LONGEST_REQUEST_KEY = 110  # fits the ledger with its prefix
# What is noted as a difference between the proxy's price and ours, in percent.
MOST_DIFFERENCE_PERCENT = 1
_REFUSED_CODES = frozenset({"", "401", "403", "422", "429"})
_CLIENT_LEFT = "499"


class SpendKind(StrEnum):
    """What is done about a reported request."""

    CHARGE = "charge"
    RECONCILE = "reconcile"
    REFUSED = "refused"
    FOREIGN = "foreign"
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known here of those whom a record names."""

    is_our_secret: bool = False  # its key is a virtual key of ours
    is_our_call: bool = False  # its call id is a call that was metered here
    is_house_key: bool = False  # its key is the one that TokenBoard itself asks with
    is_our_person: bool = False  # its customer is a person here


def classify(record: SpendRecord, known: Known) -> SpendKind:
    """What is done about a record. A call id counts only where no virtual key was used: any client can send one."""
    if record.is_odd:
        return SpendKind.ODD
    if known.is_our_call and not known.is_our_secret:
        return SpendKind.RECONCILE
    if not record.is_success and record.cost_nano == 0:
        return SpendKind.REFUSED
    # A call of our own whose id was lost on the way has been settled here: better unpaid than paid twice.
    is_ours = known.is_our_secret or (known.is_our_person and not known.is_house_key)
    return SpendKind.CHARGE if is_ours else SpendKind.FOREIGN


def usage_status(record: SpendRecord) -> str:
    """How it ended, in the words of usage records."""
    if record.is_success:
        return "stopped" if record.error_code == _CLIENT_LEFT else "ok"
    if record.cost_nano:
        return "interrupted"
    return "refused" if record.error_code in _REFUSED_CODES else "failed"


def is_background(record: SpendRecord) -> bool:
    """Titles, tags and the like: Open WebUI names the task."""
    return any(name == "task" for name, _ in record.marks)


def request_key(request_id: str) -> str:
    """The request's name as a key here: itself, unless it is too long or no plain ASCII."""
    if len(request_id) <= LONGEST_REQUEST_KEY and request_id.isascii() and request_id.isprintable():
        return request_id
    return "sha256:" + hashlib.sha256(request_id.encode("utf-8", "replace")).hexdigest()


def is_different(*, cost_nano: int, expected_nano: int) -> bool:
    """Whether the proxy's cost and our own differ by more than a percent of ours."""
    return abs(cost_nano - expected_nano) * 100 > expected_nano * MOST_DIFFERENCE_PERCENT
