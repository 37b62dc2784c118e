"""What Northwind Research asks of models through TokenBoard: every request of a day. Pure.

Deterministic: a day always brings the same requests, whenever it is told. Busy in office hours, quiet at weekends, a
report at night; once in a while a provider has a bad afternoon. Prices are invented but of the usual size.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from tokenboard.core.clock import days_between, midnight
from tokenboard.core.money import nano_from_usd
from tokenboard.metering.facts import Price
from tokenboard.metering.rules import cost_nano

ASSISTANT, REPORTS, NOTEBOOKS = "assistant-prod", "nightly-reports", "notebooks"
MIRA, JONAS, PRIYA = "Mira Okafor", "Jonas Lind", "Priya Raman"
COLLEAGUES = (MIRA, JONAS, PRIYA)
SLOT = timedelta(hours=6)
_DAY, _LONG_AGO = timedelta(days=1), timedelta(days=4)
_BAD_AFTERNOON_EVERY, _BAD_HOURS = 17, range(13, 16)
_OFFICE, _NIGHT = (7, 19), (1, 4)


def _price(model: str, *dollars: str) -> Price:
    """US dollars per million tokens: in, cached, out."""
    nano_in, nano_cached, nano_out = (nano_from_usd(Decimal(text)) for text in dollars)
    mode = "chat" if nano_out else "embedding"
    return Price("", model, 0, mode, nano_in, nano_cached, nano_out, None, None, "", "litellm", None)


_LARGE, _SMALL = _price("gpt-5.2", "1.75", "0.175", "14"), _price("gpt-5.2-mini", "0.25", "0.025", "2")
_SONNET, _MINI = _price("claude-sonnet-4.5", "3", "0.3", "15"), _price("gpt-4.1-mini", "0.4", "0.1", "1.6")
_EMBED = _price("text-embedding-3-large", "0.13", "0.13", "0")


@dataclass(frozen=True, slots=True)
class Way:
    """One habit: who asks what, how often on a usual day, and how much of it at a time."""

    source: str
    price: Price
    a_day: int
    prompt: int
    cached_percent: int
    completion: int
    # The virtual key it goes through; '': a colleague asks by name.
    key: str = ""
    hours: tuple[int, int] = _OFFICE
    weekend_percent: int = 15
    ms_a_token: int = 14
    is_background: bool = False


WAYS = (
    Way("gateway", _LARGE, 5, 7_400, 60, 620, key=ASSISTANT, hours=(6, 23), weekend_percent=45),
    Way("gateway", _SMALL, 6, 2_600, 45, 210, key=ASSISTANT, hours=(6, 23), weekend_percent=45, ms_a_token=8),
    Way("gateway", _EMBED, 2, 9_000, 0, 0, key=ASSISTANT, hours=(6, 23), weekend_percent=45),
    Way("key", _MINI, 4, 21_000, 20, 1_300, key=REPORTS, hours=_NIGHT, weekend_percent=100, is_background=True),
    Way("gateway", _SONNET, 3, 5_200, 10, 1_500, key=NOTEBOOKS, ms_a_token=17),
    Way("openwebui", _LARGE, 4, 3_100, 25, 780),
    Way("openwebui", _SONNET, 3, 2_400, 10, 1_050, ms_a_token=17),
    Way("openwebui", _SMALL, 2, 900, 0, 40, ms_a_token=8, is_background=True),
    Way("chat", _SONNET, 2, 1_900, 0, 900, ms_a_token=17),
    Way("chat", _LARGE, 3, 1_500, 0, 640),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `who` is a colleague's name; '' for a key, whose holder is behind it. Units: nano-USD, ms."""

    day: date
    at: datetime
    source: str
    model: str
    key: str
    who: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_nano_usd: int
    latency_ms: int
    first_token_ms: int | None
    status: str = "ok"
    error_code: str = ""
    is_background: bool = False
    # Its place in the day: its name for ever.
    number: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """Six hours that are over, or a whole day that is over for long, and what it brought."""

    start: datetime
    end: datetime
    requests: tuple[Request, ...]

    @property
    def last_instant(self) -> datetime:
        return self.end - timedelta(seconds=1)


def slots(first: datetime, *, until: datetime) -> Iterator[Slot]:
    """Every slot from the one that holds `first` on that is over; of long ago they are days, told in less time."""
    for day in days_between(first.date(), until.date()):
        found, midnight_of_it = requests_on(day), midnight(day)
        is_long_ago = midnight_of_it >= first and until - midnight_of_it > _LONG_AGO
        size = _DAY if is_long_ago else SLOT
        for number in range(_DAY // size):
            start, end = midnight_of_it + number * size, midnight_of_it + (number + 1) * size
            if first < end <= until:
                yield Slot(start, end, tuple(one for one in found if start <= one.at < end))


def requests_on(day: date) -> tuple[Request, ...]:
    """A whole day's requests, in their order."""
    dice = random.Random(f"northwind:{day}")
    found = [_request(way, day, dice) for way in WAYS for _ in range(_count(way, day, dice))]
    found.sort(key=lambda one: (one.at, one.source, one.model))
    return tuple(replace(one, number=number) for number, one in enumerate(found))


def _count(way: Way, day: date, dice: random.Random) -> int:
    busy = way.weekend_percent if day.weekday() >= 5 else 100
    return (way.a_day * busy * dice.randint(65, 140) + 5_000) // 10_000


def _request(way: Way, day: date, dice: random.Random) -> Request:
    seconds = dice.randrange(way.hours[0] * 3_600, way.hours[1] * 3_600)
    prompt = way.prompt * dice.randint(45, 170) // 100
    completion = way.completion * dice.randint(40, 180) // 100
    cached = prompt * way.cached_percent * dice.randint(60, 130) // 10_000
    first_ms = dice.randint(240, 900) + prompt // 40
    asked = Request(
        day=day,
        at=midnight(day) + timedelta(seconds=seconds),
        source=way.source,
        model=way.price.model,
        key=way.key,
        who="" if way.key else dice.choice(COLLEAGUES),
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=completion,
        cost_nano_usd=cost_nano(way.price, prompt_tokens=prompt, cached_tokens=cached, completion_tokens=completion),
        latency_ms=first_ms + completion * way.ms_a_token * dice.randint(80, 130) // 100,
        first_token_ms=first_ms if completion else None,
        is_background=way.is_background,
    )
    return _ended(asked, way.price, dice.randrange(1_000))


def _ended(asked: Request, price: Price, luck: int) -> Request:
    """Most requests end well."""
    is_bad = asked.day.toordinal() % _BAD_AFTERNOON_EVERY == 0 and asked.at.hour in _BAD_HOURS
    if is_bad and luck < 450:
        return _failed(asked, "failed", "upstream_error", 900 + luck)
    if luck < 9:
        return _failed(asked, "failed", "upstream_timeout", 60_000)
    if luck < 18:
        return _failed(asked, "refused", "rate_limited", 20 + luck)
    if asked.source in ("chat", "openwebui") and luck < 50 and asked.completion_tokens > 3:
        return _stopped(asked, price)
    return replace(asked, status="length") if luck > 988 and asked.completion_tokens else asked


def _failed(asked: Request, status: str, code: str, latency_ms: int) -> Request:
    return replace(
        asked,
        prompt_tokens=0,
        cached_tokens=0,
        completion_tokens=0,
        cost_nano_usd=0,
        status=status,
        error_code=code,
        latency_ms=latency_ms,
        first_token_ms=None,
    )


def _stopped(asked: Request, price: Price) -> Request:
    """Somebody had read enough."""
    completion = asked.completion_tokens // 3
    cost = cost_nano(
        price,
        prompt_tokens=asked.prompt_tokens,
        cached_tokens=asked.cached_tokens,
        completion_tokens=completion,
    )
    return replace(asked, completion_tokens=completion, cost_nano_usd=cost, status="stopped")
