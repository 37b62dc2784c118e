"""Towns of real processes: with a Redis, without one, with one that can be stopped and emptied."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from flask import Flask

from scripts.embedded_redis import throwaway_redis
from scripts.house import here
from tests.faults.town import NOWHERE, Town, town
from tests.people import People


@pytest.fixture
def lively(app: Flask, people: People, sandbox_url: str, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    """With a Redis."""
    with town(app, people, sandbox_url, tmp_path, redis_url) as made:
        yield made


@pytest.fixture
def lonely(app: Flask, people: People, sandbox_url: str, tmp_path: Path) -> Iterator[Town]:
    """Without one, from the beginning to the end."""
    with town(app, people, sandbox_url, tmp_path, NOWHERE) as made:
        yield made


@dataclass
class QueueServer:
    """A Redis of a test's own."""

    url: str
    process_id: int

    def stop(self) -> None:
        """It takes connections and answers none of them."""
        os.kill(self.process_id, signal.SIGSTOP)

    def empty(self) -> int:
        """Forget everything; how much that was."""
        line = redis.Redis.from_url(self.url)
        count = line.dbsize()
        line.flushall()
        return int(count)  # type: ignore[arg-type]


@pytest.fixture
def queue_server() -> Iterator[QueueServer]:
    with throwaway_redis(here(), dict(os.environ)) as url:
        told = redis.Redis.from_url(url).info()
        found = QueueServer(url, int(told["process_id"]))  # type: ignore[index]
        try:
            yield found
        finally:
            os.kill(found.process_id, signal.SIGCONT)


@pytest.fixture
def forgetful(
    sqlite_app: Flask, sqlite_people: People, sandbox_url: str, tmp_path: Path, queue_server: QueueServer
) -> Iterator[Town]:
    """With a Redis of its own; SQLite, for the database plays no part."""
    with town(sqlite_app, sqlite_people, sandbox_url, tmp_path, queue_server.url) as made:
        yield made
