"""What a listener of an answer hears: pieces of text, a sign of life, and at last how it ended.

A piece's place is counted in characters of the answer's text, so that pieces may be merged and a reader that comes
back names the last character it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tokenboard.metering.service import Settled


class Delta(NamedTuple):
    """Text that is recorded and may be shown; `to_char` is its event id. `events` are the provider's own, for /v1."""

    from_char: int
    to_char: int
    text: str
    events: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing new, but still here."""


@dataclass(frozen=True, slots=True)
class ChatFailure:
    """Why an answer broke off, for a person and for a program."""

    code: str
    message: str
    status: int = 502
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event. `settled` is None only while the database cannot be asked; the sweeper settles then.

    `reason` is the outcome's kind: ok, length, stopped, interrupted, failed.
    """

    settled: Settled | None
    error: ChatFailure | None
    reason: str


StreamEvent = Delta | Heartbeat | Ended
