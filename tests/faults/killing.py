"""Kill parts of the running product while answers stream, then look whether any promise was broken.

`python -m tests.faults.killing [--streams 300] [--kills 50] [--restarts 5]` runs all of it on a PostgreSQL of its own,
with gevent workers, in about two minutes; the suite runs a short one of each kind.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from scripts.embedded_redis import throwaway_redis
from scripts.house import here
from tests.conftest import MIGRATIONS, settings_with
from tests.faults import checking
from tests.faults.readers import Reading, read
from tests.faults.site import SHORT, Site, site
from tests.faults.upstream import script
from tests.postgres import Server, restartable_postgres
from tokenboard.app import create_app

PATIENCE_SECONDS = 600  # whoever was cut off waits for a lease and a sweep; a busy machine takes its time


@dataclass(slots=True)
class Plan:
    """How much of it."""

    streams: int
    kills: int
    readers: int = 12
    restarts: int = 0
    pause_seconds: tuple[float, float] = (0.3, 1.2)
    seed: int = 1


@dataclass(slots=True)
class Result:
    """What happened."""

    readings: list[Reading] = field(default_factory=list)
    under_way: dict[int, Reading] = field(default_factory=dict)  # by reader
    kills: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    settled_after_seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def begun(self) -> list[Reading]:
        return [reading for reading in list(self.readings) if reading.call_id]

    def spoken(self) -> str:
        broken = sum(bool(reading.broken_at) for reading in self.begun)
        return (
            f"{len(self.readings)} questions, {len(self.begun)} answers begun, {broken} of them cut off and gone on "
            f"with; killed {self.kills}, database restarted {self.restarts} times; all settled after "
            f"{self.settled_after_seconds:.1f} s; {len(self.faults)} faults"
        )


def run(running: Site, plan: Plan, restart: Callable[[], None] | None = None) -> Result:
    """Readers read until there were enough streams and enough kills; then the books are looked at."""
    result = Result()
    stopping = threading.Event()
    crowd = [threading.Thread(target=_read_on, args=(running, plan, result, stopping)) for _ in range(plan.readers)]
    for reader in crowd:
        reader.start()
    _kill_on(running, plan, result, restart)
    checking.wait_until(lambda: len(result.begun) >= plan.streams, PATIENCE_SECONDS)
    stopping.set()
    for reader in crowd:
        reader.join()
    result.kills = dict(running.deaths)
    result.settled_after_seconds = checking.wait_until_settled(running.app)
    result.faults = checking.faults_of(running.app, result.readings)
    result.faults += [f"{one.call_id}: not the upstream's words" for one in result.readings if not _is_true(one)]
    return result


def _is_true(reading: Reading) -> bool:
    """Whatever was read is the beginning of what was sent: nothing twice, nothing left out."""
    return script(SHORT).startswith(reading.text)


def _read_on(running: Site, plan: Plan, result: Result, stopping: threading.Event) -> None:
    while not stopping.is_set():
        reading = result.under_way[threading.get_ident()] = Reading()
        read(running.port, running.wish(SHORT), reading=reading)
        result.readings.append(reading)
        if not reading.call_id:
            time.sleep(0.1)  # nobody was there, or the database was away


def _writing(running: Site, result: Result) -> list[int | None]:
    """Web processes that write an answer right now: killing one that only starts would prove nothing."""
    streaming = [reading.process for reading in list(result.under_way.values()) if reading.text and not reading.end]
    return [process for process in streaming if process in running.web_processes()]


def _kill_on(running: Site, plan: Plan, result: Result, restart: Callable[[], None] | None) -> None:
    chance = random.Random(plan.seed)
    every = plan.kills // plan.restarts if plan.restarts else plan.kills + 1
    for number in range(1, plan.kills + 1):
        time.sleep(chance.uniform(*plan.pause_seconds))
        checking.wait_until(lambda: _writing(running, result) != [], PATIENCE_SECONDS)
        if chance.random() < 0.7:
            running.kill_web(chance.choice(_writing(running, result) or [None]))
        else:
            running.kill_worker()
        if restart is not None and number % every == 0:
            restart()
            result.restarts += 1


@contextlib.contextmanager
def _postgresql(folder: Path, redis_url: str) -> Iterator[tuple[Flask, Server]]:
    with restartable_postgres(is_durable=True) as server:
        app = create_app(settings_with(server.url, redis_url, "", folder))
        with app.app_context():
            upgrade(directory=MIGRATIONS)
        yield app, server


def main(given: list[str]) -> int:
    """The whole of it. 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="tests.faults.killing")
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="where to keep what the processes said")
    asked = parser.parse_args(given)
    plan = Plan(asked.streams, asked.kills, readers=24, restarts=asked.restarts, seed=asked.seed)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis_url = stack.enter_context(throwaway_redis(here(), {}))
        app, server = stack.enter_context(_postgresql(folder, redis_url))
        result = _of_all(app, server, folder, plan)
        log = (folder / "site.log").read_text(encoding="utf-8", errors="replace")
    print(result.spoken())  # noqa: T201 - a command's answer
    for fault in result.faults:
        print(f"  {fault}")  # noqa: T201
    if asked.log:
        asked.log.write_text(log)
    return 1 if result.faults else 0


def _of_all(app: Flask, server: Server, folder: Path, plan: Plan) -> Result:
    with site(app, folder) as running:
        return run(running, plan, restart=server.restart)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
