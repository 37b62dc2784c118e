"""What may be asked of usage, and how its answers look: dimensions, filters, sums, cursors. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import parse_id
from tokenboard.metering.histogram_rules import COLUMNS, percentile

LONGEST_DAYS = 731


class By(StrEnum):
    """What a summary is broken down by."""

    MODEL = "model"
    KEY = "key"
    USER = "user"
    SOURCE = "source"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Filters:
    """Only what agrees with all that is given. `status` and `conversation_id` are known of records, not of sums."""

    person_id: str | None = None
    source: str | None = None
    key_id: str | None = None
    model: str | None = None
    status: str | None = None
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """UTC days, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not 0 <= (self.last - self.first).days < LONGEST_DAYS:
            raise ValidationFailed({"from": ["From comes before to, at most two years earlier."]})


@dataclass(frozen=True, slots=True)
class Sums:
    """What was used. Credits are micro-credits, cost nano-USD."""

    requests: int
    errors: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    credits_micros: int
    cost_nano_usd: int
    latencies: tuple[int, ...] = (0,) * COLUMNS
    first_tokens: tuple[int, ...] = (0,) * COLUMNS

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def latency_ms(self, percent: int) -> int | None:
        """The latency that so many percent of the requests did not exceed."""
        return percentile(self.latencies, percent)

    def first_token_ms(self, percent: int) -> int | None:
        """The same for the time to the first token."""
        return percentile(self.first_tokens, percent)


NOTHING = Sums(0, 0, 0, 0, 0, 0, 0, 0)


def added(parts: Sequence[Sums]) -> Sums:
    """Everything together; percentiles come from the added histograms."""
    if not parts:
        return NOTHING
    columns = zip(*(_values(part) for part in parts), strict=True)
    return sums_of([sum(column) for column in columns])


def _values(part: Sums) -> tuple[int, ...]:
    return (
        *(part.requests, part.errors, part.prompt_tokens, part.cached_tokens, part.completion_tokens),
        *(part.reasoning_tokens, part.credits_micros, part.cost_nano_usd, *part.latencies, *part.first_tokens),
    )


def sums_of(values: Sequence[int]) -> Sums:
    """A roll-up's columns in their order: sums, latencies, first tokens."""
    requests, errors, prompt, cached, completion, reasoning, micros, nano, *counts = values
    plain = (requests, errors, prompt, cached, completion, reasoning, micros, nano)
    return Sums(*plain, latencies=tuple(counts[:COLUMNS]), first_tokens=tuple(counts[COLUMNS:]))


_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cursor_of(occurred_at: datetime, record_id: str) -> str:
    """Where a page of records ends."""
    return f"{(occurred_at - _EPOCH) // _MICROSECOND}.{record_id}"


def read_cursor(text: str) -> tuple[datetime, str]:
    """Raises: ValidationFailed."""
    micros, _, record_id = text.partition(".")
    try:
        if not (micros.isascii() and micros.isdigit() and len(micros) <= 17):
            raise ValueError("no number")
        return _EPOCH + int(micros) * _MICROSECOND, parse_id(record_id)
    except (ValueError, OverflowError) as error:
        raise ValidationFailed({"cursor": ["Take the cursor from `nextCursor` of the page before."]}) from error
