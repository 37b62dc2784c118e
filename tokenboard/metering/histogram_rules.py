"""Latencies as counts between fixed bounds: such columns add up over days, keys and models, and percentiles with them.

Law: the bounds never change; other bounds are other columns.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

# Milliseconds. A latency belongs to the first bound it does not exceed; the last column is open.
BOUNDS_MS = (100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 30_000, 60_000)
COLUMNS = len(BOUNDS_MS) + 1
LATENCY = tuple(f"latency_{number}" for number in range(COLUMNS))
FIRST_TOKEN = tuple(f"first_token_{number}" for number in range(COLUMNS))
# What the open column is taken to end at: a call lasts at most ten minutes.
_LONGEST_MS = 600_000


def column_of(milliseconds: int) -> int:
    """The number of the column that counts this latency."""
    return bisect_left(BOUNDS_MS, milliseconds)


def percentile(counts: Sequence[int], percent: int) -> int | None:
    """The latency that `percent` of the calls did not exceed, linear within its column. None: no calls."""
    total = sum(counts)
    if not total:
        return None
    wanted, seen = -(-total * percent // 100), 0
    for number, count in enumerate(counts):
        if count and seen + count >= wanted:
            low = BOUNDS_MS[number - 1] if number else 0
            high = BOUNDS_MS[number] if number < len(BOUNDS_MS) else _LONGEST_MS
            return low + (high - low) * (wanted - seen) // count
        seen += count
    raise AssertionError("the counts sum to the total")
