"""Counts durations in buckets of about 3 %, so that millions of them cost nothing and percentiles stay honest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_BITS = 5  # of each value that are kept: a bucket is at most 1/32 wide


class Histogram:
    """Durations in microseconds."""

    def __init__(self, counts: dict[int, int] | None = None) -> None:
        self._counts = Counter(counts or {})

    def add(self, microseconds: int) -> None:
        self._counts[_bucket(max(0, microseconds))] += 1

    @property
    def total(self) -> int:
        return sum(self._counts.values())

    def percentile_ms(self, share: float) -> float:
        """The bucket's upper end below which this share of all lies, in milliseconds; 0 when there is nothing."""
        wanted, seen = share * self.total, 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return _upper(bucket) / 1_000
        return 0.0

    def summary(self) -> dict[str, float]:
        named = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
        return {name: round(self.percentile_ms(share), 3) for name, share in named.items()} | {"count": self.total}

    @classmethod
    def of(cls, values: Iterable[int]) -> Histogram:
        made = cls()
        for value in values:
            made.add(value)
        return made


def _bucket(value: int) -> int:
    shift = max(0, value.bit_length() - _BITS - 1)
    return (shift << (_BITS + 1)) | (value >> shift)


def _upper(bucket: int) -> int:
    shift, kept = bucket >> (_BITS + 1), bucket & ((1 << (_BITS + 1)) - 1)
    return ((kept + 1) << shift) - 1
