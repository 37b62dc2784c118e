"""`./run check`: everything that holds the house but the tests. All steps run, also after one failed.

Runs inside `.venv`. Two steps at a time: the slow one (types) beside all others.
"""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from scripts.house import here

_TYPED = ("tokenboard", "scripts", "run", "wsgi.py", "worker.py", "bench", "tests")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended: what it said, and whether that was a fault."""

    is_ok: bool
    said: str


def _command(*words: str) -> Callable[[], Outcome]:
    def run() -> Outcome:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return Outcome(done.returncode == 0, (done.stdout + done.stderr).strip())

    return run


def _module(*words: str) -> Callable[[], Outcome]:
    return _command(sys.executable, "-m", *words)


def types() -> Outcome:
    """mypy over everything; gunicorn.conf.py apart, since its name is no module name."""
    there = [name for name in _TYPED if Path(name).exists()]
    found = [_module("mypy", *there)(), _module("mypy", "--scripts-are-modules", "gunicorn.conf.py")()]
    return Outcome(all(one.is_ok for one in found), "\n".join(one.said for one in found if not one.is_ok))


def settings_example() -> Outcome:
    """.env.example says what the declarations say."""
    with tempfile.TemporaryDirectory() as folder:
        bare = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        bare["DATABASE_URL"] = f"sqlite:///{folder}/none.sqlite3"
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "ops", "env-example"]
        done = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    if done.returncode:
        return Outcome(False, (done.stdout + done.stderr).strip())
    file = Path(".env.example")
    kept = file.read_text(encoding="utf-8") if file.is_file() else ""
    change = difflib.unified_diff(
        kept.splitlines(), done.stdout.splitlines(), ".env.example", "the settings", lineterm=""
    )
    said = "\n".join(change)
    return Outcome(not said, f"{said}\nCure: flask --app wsgi ops env-example > .env.example" if said else "")


STEPS: tuple[tuple[str, Callable[[], Outcome]], ...] = (
    ("types", types),
    ("format", _command("ruff", "format", "--check", ".")),
    ("lint", _command("ruff", "check", "--output-format", "concise", ".")),
    ("imports", _command("lint-imports", "--no-logo")),
    ("templates", _module("scripts.check_templates")),
    ("migrations on SQLite", _module("scripts.check_migrations", "sqlite")),
    ("migrations on PostgreSQL", _module("scripts.check_migrations", "postgres")),
    ("settings example", settings_example),
    ("docs", _module("scripts.check_docs")),
)


def main(words: Sequence[str]) -> int:
    """Run the steps whose names begin with one of the words, or all; 1 when one failed."""
    os.chdir(here().root)
    chosen = [step for step in STEPS if not words or step[0].startswith(tuple(words))]
    if not chosen:
        print(f"There is no such step; there are: {', '.join(name for name, _ in STEPS)}", file=sys.stderr)
        return 2
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {pool.submit(_timed, work): name for name, work in chosen}
        for done in as_completed(running):
            outcome, seconds = done.result()
            _tell(running[done], outcome, seconds)
            failed += [] if outcome.is_ok else [running[done]]
    print(f"{len(failed)} of {len(chosen)} failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def _timed(work: Callable[[], Outcome]) -> tuple[Outcome, float]:
    began = time.monotonic()
    return work(), time.monotonic() - began


def _tell(name: str, outcome: Outcome, seconds: float) -> None:
    print(f"{name:<26} {'ok' if outcome.is_ok else 'FAILED':<7} {seconds:5.1f} s", flush=True)
    if outcome.said and not (outcome.is_ok and name in {"format", "lint", "imports", "types"}):
        print("\n".join(f"    {line}" for line in outcome.said.splitlines()), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
