"""How a measurement is made: rounds of ours, limit and peer in turn, so that a noisy machine disturbs all alike.

Units: wall clock and CPU in milliseconds per call. A ratio is ours divided by the limit, taken round by round; what is
reported is the median ratio and its spread (lowest to highest), since absolute figures do not travel between machines.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

ROUNDS = 5
QUICK_ROUNDS = 3
LONGEST_SERIES_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of calls: medians per call."""

    wall_ms: float
    cpu_ms: float
    calls: int


@dataclass(slots=True)
class Result:
    """One line of the table, and one object of the JSON file."""

    id: str
    what: str
    goal: str
    ours: list[Sample]
    limit: list[Sample]
    peer: list[Sample] = field(default_factory=list)
    bound: float | None = None  # the most (or, with `is_rate`, the least) the ratio may be
    is_rate: bool = False
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        """Ours by limit, round by round; for rates, how much of the limit's rate we reach."""
        pairs = zip(self.ours, self.limit, strict=True)
        return [(b.wall_ms / a.wall_ms) if self.is_rate else (a.wall_ms / b.wall_ms) for a, b in pairs]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def is_met(self) -> bool | None:
        if self.bound is None:
            return None
        return self.ratio >= self.bound if self.is_rate else self.ratio <= self.bound

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"ratio": self.ratio, "ratios": self.ratios, "met": self.is_met}


def rounds(quick: bool) -> int:
    return QUICK_ROUNDS if quick else ROUNDS


def sample(call: Callable[[], object], *, calls: int) -> Sample:
    """Run `call` up to `calls` times, or for two seconds; the median of the calls."""
    walls: list[float] = []
    cpus: list[float] = []
    until = time.perf_counter() + LONGEST_SERIES_SECONDS
    while len(walls) < calls and (not walls or time.perf_counter() < until):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return Sample(statistics.median(walls), statistics.median(cpus), len(walls))


def interleaved(
    contenders: dict[str, Callable[[], object]], *, quick: bool, calls: int = 50
) -> dict[str, list[Sample]]:
    """Every contender once a round, in turn; a first uncounted call each warms caches and statements."""
    for call in contenders.values():
        call()
    series: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(rounds(quick)):
        for name, call in contenders.items():
            series[name].append(sample(call, calls=calls))
    return series
