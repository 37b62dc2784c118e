"""How a believable company uses AI: pure and deterministic, integers only.

A workload is one project's use of one model through one key. Its day is its usual number of requests, shaped by the
weekday, by growth, by a little noise and, now and then, by an accident. The same day of the same world is always the
same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

MINUTES_PER_DAY = 1_440
_WEEKDAY_PERCENT = (108, 112, 110, 106, 98, 38, 32)  # Monday first
_GROWTH_FIRST_PERMILLE, _GROWTH_LAST_PERMILLE = 700, 2_000
# Share of a day's requests in each UTC hour: quiet nights, a lunch dip.
_HOUR_WEIGHTS = (8, 6, 5, 5, 6, 10, 22, 45, 72, 88, 92, 84, 70, 82, 92, 95, 90, 78, 58, 40, 30, 22, 16, 11)
_HOURS_TOTAL = sum(_HOUR_WEIGHTS) * 60
_ACCIDENT_EVERY_DAYS, _ACCIDENT_ON_DAY, _ACCIDENT_FACTOR = 45, 42, 6


@dataclass(frozen=True, slots=True)
class Workload:
    """One steady use; days count from the world's origin."""

    endpoint: str
    project_id: str
    model: str | None
    api_key_id: str
    user_id: str
    requests_per_day: int
    input_per_request: int = 0
    cached_percent: int = 0
    output_per_request: int = 0
    quantity_per_request: int = 0
    first_day: int = 0
    last_day: int | None = None
    has_accidents: bool = False


def spread(text: str, size: int) -> int:
    """A number below `size`, always the same for the same text."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % size


def requests_on(work: Workload, origin: date, day: date) -> int:
    """How many requests this workload makes on a whole day."""
    age = (day - origin).days
    if age < work.first_day or (work.last_day is not None and age > work.last_day):
        return 0
    growth = min(_GROWTH_FIRST_PERMILLE + age * 22 // 10, _GROWTH_LAST_PERMILLE)
    noise = 850 + spread(f"{work.project_id}|{work.model}|{work.api_key_id}|{day}", 300)
    usual = work.requests_per_day * _WEEKDAY_PERCENT[day.weekday()] * growth * noise // 100_000_000
    is_accident = work.has_accidents and age % _ACCIDENT_EVERY_DAYS == _ACCIDENT_ON_DAY
    return usual * _ACCIDENT_FACTOR if is_accident else usual


def accidents(origin: date, until: date) -> list[date]:
    """The days on which something ran away."""
    first = origin + timedelta(days=_ACCIDENT_ON_DAY)
    count = max(0, (until - first).days // _ACCIDENT_EVERY_DAYS + 1)
    return [first + timedelta(days=_ACCIDENT_EVERY_DAYS * n) for n in range(count)]


def share(total: int, from_minute: int, to_minute: int) -> int:
    """The part of a day's total between two minutes; the parts of a day add up to its total exactly."""
    return _until(total, to_minute) - _until(total, from_minute)


def _until(total: int, minute: int) -> int:
    hour, rest = divmod(max(0, min(minute, MINUTES_PER_DAY)), 60)
    weight = sum(_HOUR_WEIGHTS[:hour]) * 60 + (_HOUR_WEIGHTS[hour] * rest if rest else 0)
    return total * weight // _HOURS_TOTAL
