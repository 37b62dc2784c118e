"""`./run test`, `e2e`, `tour` and `fuzz`: one throw-away Redis and PostgreSQL for the whole run, then pytest.

Runs inside `.venv`. What is given as TEST_REDIS_URL or TEST_DATABASE_URL is used instead of starting one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts.browser import find_chromium
from scripts.embedded_redis import throwaway_redis
from scripts.house import House, Refusal, here
from tests.postgres import NoPostgres, running_postgres

PROCESSES = "2"  # one a core of the smallest machine we test on
FUZZ_REQUESTS = "22000"  # shared among the calls; what cannot be got wrong is asked less, so 20,000 are sent
MEMORY, MEMORY_BYTES = Path("/dev/shm"), 4 * 1024**3  # noqa: S108 - a folder of our own is made in it
WHOLE = "--whole"  # tests whose proof grows with their size take all of it (tests/sizes.py)
_CHOOSES_PROCESSES = ("-n", "--numprocesses", "--pdb", "--trace", "-s", "--capture=no", "--co", "--collect-only")


def main(words: list[str]) -> int:
    """Run the tests of one kind; pytest's own exit code. Raises: Refusal."""
    kind, arguments = words[0], words[1:]
    house = here()
    settings = dict(os.environ)
    if WHOLE in arguments:
        arguments = [word for word in arguments if word != WHOLE]
        settings["TEST_SIZE"] = "whole"
    if kind == "fuzz":
        settings.setdefault("FUZZ_REQUESTS", FUZZ_REQUESTS)
    if kind == "tour":
        settings["TOUR_FOLDER"] = str(house.root / "docs" / "tour")
    if kind in ("e2e", "tour"):
        settings["CHROMIUM"] = find_chromium(settings)
    seeds = house.root.parent / "shared"
    if "TOKENBOARD_SHARED" not in settings and seeds.is_dir():
        settings["TOKENBOARD_SHARED"] = str(seeds)
    with _redis(house, settings) as redis_url, _postgres(settings) as database_url:
        settings["TEST_REDIS_URL"] = redis_url
        if database_url:
            settings["TEST_DATABASE_URL"] = database_url
        with _room_for_files(arguments) as more:
            return _pytest([*pytest_words(kind, arguments), *more], settings)


def pytest_words(kind: str, arguments: list[str]) -> list[str]:
    """What pytest is called with: what was asked for, and two processes unless it needs the terminal."""
    if kind == "fuzz":
        return ["-n", "0", "-s", "-q", "tests/fuzz", *arguments]
    if kind == "tour":
        return ["tests/e2e/walk_tour.py", *arguments]
    if kind == "e2e" and not any(Path(word.split("::")[0]).exists() for word in arguments):
        arguments = ["tests/e2e", *arguments]
    is_chosen = any(word.startswith(_CHOOSES_PROCESSES) for word in arguments)
    return arguments if is_chosen else ["-n", PROCESSES, "--dist", "loadgroup", *arguments]


@contextlib.contextmanager
def _room_for_files(arguments: list[str]) -> Iterator[list[str]]:
    """Where tests put their databases: in memory where there is room, for a disk takes a quarter longer."""
    is_told = any(word.startswith("--basetemp") for word in arguments)
    if is_told or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < MEMORY_BYTES:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="tb-tests-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        yield [f"--basetemp={folder}/files"]


def _pytest(words: list[str], settings: dict[str, str]) -> int:
    with subprocess.Popen([sys.executable, "-m", "pytest", *words], env=settings) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # pytest got it too and is writing its summary


@contextlib.contextmanager
def _redis(house: House, settings: dict[str, str]) -> Iterator[str]:
    given = settings.get("TEST_REDIS_URL", "").strip()
    with contextlib.nullcontext(given) if given else throwaway_redis(house, settings) as url:
        yield url


@contextlib.contextmanager
def _postgres(settings: dict[str, str]) -> Iterator[str | None]:
    """A server's address; None, said aloud, when this machine can have none."""
    given = settings.get("TEST_DATABASE_URL", "").strip()
    with contextlib.ExitStack() as stack:
        try:
            url = given or stack.enter_context(running_postgres())
        except NoPostgres as why:
            print(f"The tests on PostgreSQL are skipped: {why}.", file=sys.stderr, flush=True)
            url = None
        yield url


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(refusal.exit_code)
