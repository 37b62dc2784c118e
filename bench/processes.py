"""Processes of a measurement: started on a core of their own, and what they used, from /proc.

CPU time is the firmer figure on a noisy machine; `others` says how noisy it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenboard.core.config import ROOT

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


@dataclass(frozen=True, slots=True)
class Served:
    """A server under measurement."""

    pid: int
    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def server(module: str, *arguments: str, core: int | None = None) -> Iterator[Served]:
    """`python -m module`, which prints its port first; ended when the block ends."""
    more = [] if core is None else ["--core", str(core)]
    command = [sys.executable, "-m", module, *arguments, *more]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Served(process.pid, int(process.stdout.readline()))
        finally:
            process.terminate()


def load(url: str, *arguments: str, core: int | None = None) -> dict[str, Any]:
    """Run the load client against this address; its report."""
    more = [] if core is None else ["--core", str(core)]
    command = [sys.executable, "-m", "bench.client", "--url", url, *arguments, *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def family(pid: int) -> list[int]:
    """A process and all its descendants: gunicorn's workers are children of the one that was started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        below = [int(child) for child in children.read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in below for one in family(child))]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its descendants, all threads."""
    return sum(_ticks(one) for one in family(pid)) / _TICKS


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])  # utime, stime


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its descendants."""
    return sum(_resident(one) for one in family(pid)) * _PAGE_MB


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0


@dataclass(slots=True)
class Used:
    """What happened while a block ran. Filled in at its end."""

    wall_seconds: float = 0
    cpu_seconds: float = 0
    memory_mb: float = 0
    others_cores: float = 0  # busy elsewhere on the machine, beside the watched processes

    def cpu_us_per(self, count: int) -> float:
        return self.cpu_seconds * 1e6 / count if count else 0.0


@contextlib.contextmanager
def watching(pid: int, *beside: int) -> Iterator[Used]:
    """CPU and memory of `pid`; what neither it nor those `beside` it used counts as others'."""
    used = Used()
    begun, busy, known = _uptime(), _busy_seconds(), _all(pid, *beside)
    ours = cpu_seconds(pid)
    yield used
    used.wall_seconds = _uptime() - begun
    used.cpu_seconds = cpu_seconds(pid) - ours
    used.memory_mb = memory_mb(pid)
    mine = _all(pid, *beside) - known
    used.others_cores = max(0.0, (_busy_seconds() - busy - mine) / max(used.wall_seconds, 0.01))


def _all(*pids: int) -> float:
    """Of the watched ones, and of what this process waited for meanwhile, such as the load client."""
    children = os.times()
    return sum(cpu_seconds(one) for one in pids) + children.children_user + children.children_system


def _uptime() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def _busy_seconds() -> float:
    """User, nice and system time of the whole machine."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:4]
    return sum(int(field) for field in fields) / _TICKS


def two_cores() -> Mapping[str, int | None]:
    """The core for what is measured and the one for the load around it; None on a machine with a single core."""
    cores = sorted(os.sched_getaffinity(0))
    return {"ours": cores[0], "load": cores[1]} if len(cores) > 1 else {"ours": None, "load": None}
