"""The processes `./run` looks after: started in groups of their own, their lines prefixed, restarted when they die.

Laws: we wait on the process, never on the end of its output (a grandchild may hold the pipe open); whoever dies takes
its whole session along, so that no half of it keeps a port or a job; a restart waits longer each time.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 20.0  # who lived this long starts again without delay
_COLOURS = (36, 32, 35, 33, 34)  # cyan, green, magenta, yellow, blue: readable on dark and on light
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Log:
    """One line at a time, each with the name of who said it."""

    def __init__(self, out: TextIO, *, width: int = 8) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._width = width
        self._names: list[str] = []
        self._is_coloured = out.isatty() and "NO_COLOR" not in os.environ

    def line(self, name: str, text: str) -> None:
        with self._lock:
            try:
                self._out.write(f"{self._prefix(name)} {text}\n")
                self._out.flush()
            except (BrokenPipeError, ValueError):
                return  # whoever read our output went away; the product goes on

    def _prefix(self, name: str) -> str:
        plain = f"{name:<{self._width}}|"
        if not self._is_coloured:
            return plain
        if name not in self._names:
            self._names.append(name)
        return f"\x1b[{_COLOURS[self._names.index(name) % len(_COLOURS)]}m{plain}\x1b[0m"


class Child:
    """One command that is meant to run for as long as we do."""

    def __init__(self, name: str, argv: Sequence[str], settings: Mapping[str, str], folder: Path, log: Log) -> None:
        self.name = name
        self.deaths_in_a_row = 0
        self._argv = list(argv)
        self._settings = dict(settings)
        self._folder = folder
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._due_at = 0.0
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start it in a session of its own. Called from the main thread only: Linux ties `PDEATHSIG` to the thread."""
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            self._argv,
            env=self._settings,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_the_launcher if _LIBC else None,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), name=self.name, daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None, "started with a pipe"
        with process.stdout as out:
            for raw in out:
                self._log.line(self.name, raw.decode("utf-8", "replace").rstrip())

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def look_after(self) -> None:
        """Notice a death, and start again once its delay is over."""
        if self.is_alive:
            return
        now = time.monotonic()
        if not self._due_at:
            self._mourn(now)
        elif now >= self._due_at:
            self._due_at = 0.0
            self.start()

    def _mourn(self, now: float) -> None:
        code = self._process.returncode if self._process else 0
        self.end_session(signal.SIGKILL)
        lived_long = now - self._started_at >= STEADY_SECONDS
        self.deaths_in_a_row = 1 if lived_long else self.deaths_in_a_row + 1
        delay_seconds = delay_after(self.deaths_in_a_row)
        self._due_at = now + delay_seconds
        self._log.line(self.name, f"ended ({how(code)}); starting again in {delay_seconds:g} s")

    def terminate(self) -> None:
        """Ask it to end. Only its own group is told: a worker decides itself what becomes of its running job."""
        _signal_group(self.pid, signal.SIGTERM)

    def end_session(self, number: signal.Signals) -> None:
        """Signal all that is left of it, grandchildren in groups of their own included."""
        for pid in session_members(self.pid):
            _signal(pid, number)
        _signal_group(self.pid, number)

    def last_words(self) -> None:
        """Give its reader a moment to print what is still in the pipe."""
        if self._reader:
            self._reader.join(timeout=0.5)


def delay_after(deaths: int) -> float:
    """Seconds until the next try: 0.5, 1, 2, 4 … at most 30."""
    doubled: float = FIRST_DELAY_SECONDS * 2 ** min(deaths - 1, 16)
    return min(doubled, LONGEST_DELAY_SECONDS)


def how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def session_members(session: int) -> list[int]:
    """Processes of a session; empty where there is no /proc (then the group alone is signalled)."""
    if session <= 0:
        return []
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _session_of(folder) == session]


def _session_of(folder: Path) -> int | None:
    try:
        fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None  # it ended while we looked
    state, session = fields[0], int(fields[3])
    return None if state == "Z" else session  # a zombie is over, whoever should have noticed


def _signal_group(group: int, number: signal.Signals) -> None:
    if group > 0:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            return  # nobody is left in it (macOS says EPERM for a group of zombies)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _end_with_the_launcher() -> None:
    """Runs in the child: a launcher killed with -9 takes its children along (Linux only)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
