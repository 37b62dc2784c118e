"""What every test stands on: a real database of each kind, a real Redis, the sandbox over real HTTP, a clean start.

A test that takes `app` runs twice, on SQLite and on PostgreSQL. One application a database and test process; between
tests SQLite's file is replaced by a fresh copy and PostgreSQL's tables are emptied, so tests may commit as users do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from scripts.embedded_redis import throwaway_redis
from scripts.house import here
from tests import pictures
from tests.pictures import PutBack
from tests.postgres import NoPostgres, running_postgres
from tokenboard.app import create_app
from tokenboard.core import jobs
from tokenboard.core.config import Settings, load_settings
from tokenboard.core.db import db, new_id
from tokenboard.sandbox.app import create_sandbox
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.serving import serving

CRON_SECRET = "cron-" + "k9Q2vX7mZp4RtLw8" * 2
ADMIN_API_KEY = "till-" + "W3nB8yHc5JqT1xDs" * 2
METRICS_TOKEN = "scrape-" + "Zr7qLx2Vb9TkWm4c" * 2
pytest_plugins = ["tests.patience", "tests.people"]
MIGRATIONS = str(Path(__file__).resolve().parents[1] / "migrations")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: no test process is left with one of them when the others have ended."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def worker_number() -> int:
    """0, 1, … under xdist; 0 without it."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def redis_url(worker_number: int) -> Iterator[str]:
    """A database of its own in a real Redis: the one `./run test` started, else one started here."""
    given = os.environ.get("TEST_REDIS_URL")
    with contextlib.nullcontext(given) if given else throwaway_redis(here(), dict(os.environ)) as url:
        separator = "&" if "?" in str(url) else "?"
        yield f"{url}{separator}db={worker_number}"


@pytest.fixture(scope="session")
def postgres_url(worker_number: int) -> Iterator[str]:
    """A fresh database in a real PostgreSQL: the one `./run test` started, else one started here."""
    with contextlib.ExitStack() as stack:
        try:
            url = sa.make_url(os.environ.get("TEST_DATABASE_URL") or stack.enter_context(running_postgres()))
        except NoPostgres as why:
            pytest.skip(f"no PostgreSQL on this machine: {why}")
        name = f"tokenboard_test_{os.getpid()}_{worker_number}"
        admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield url.set(database=name).render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sandbox_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3", chat_pace_seconds=0)


@pytest.fixture(scope="session")
def sandbox_url(sandbox_app: Flask) -> Iterator[str]:
    """The provider sandbox, over real HTTP on loopback."""
    with serving(sandbox_app) as url:
        yield url


@pytest.fixture
def fresh_world(sandbox_app: Flask, redis_url: str) -> None:
    """Nothing waits in Redis, and the sandbox knows nobody: the cast has the same ids in every test."""
    redis.Redis.from_url(redis_url).flushdb()
    with sandbox_app.app_context():
        sandbox().store.reset()


@dataclass
class House:
    """An application on one database: how to empty it, and how to keep what is in it for another test."""

    app: Flask
    empty: Callable[[], None]
    picture: Callable[[], PutBack]
    # Who lives here once the cast was made, and how to put them back (tests/people.py).
    cast: tuple[Any, PutBack] | None = None
    # The cast with a catalogue to buy from (tests/billing/conftest.py).
    market: PutBack | None = None


def settings_with(database_url: str, redis_url: str, sandbox_url: str, instance: Path, **more: str) -> Settings:
    """Settings as a test wants them: a cheap password hash, every secret set."""
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SANDBOX_URL": sandbox_url,
        "BCRYPT_COST": "4",
        "CRON_SECRET": CRON_SECRET,
        "ADMIN_API_KEY": ADMIN_API_KEY,
        "METRICS_TOKEN": METRICS_TOKEN,
        "SECURITY_CONTACT": "security@example.com",
        "LOG_LEVEL": "INFO",
    }
    return load_settings(environ | more, instance_path=instance)


@pytest.fixture(scope="session")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory, redis_url: str, sandbox_url: str) -> House:
    folder = tmp_path_factory.mktemp("sqlite")
    live = folder / "live.sqlite3"
    app = create_app(settings_with(f"sqlite:///{live}", redis_url, sandbox_url, folder))
    with app.app_context():
        upgrade(directory=MIGRATIONS)
    empty = pictures.of_sqlite(app, live, folder / "pristine.sqlite3")
    return House(app, empty, lambda: _both(pictures.of_sqlite(app, live, folder / f"{new_id()}.sqlite3"), redis_url))


@pytest.fixture(scope="session")
def postgresql_house(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str, redis_url: str, sandbox_url: str
) -> Iterator[House]:
    app = create_app(settings_with(postgres_url, redis_url, sandbox_url, tmp_path_factory.mktemp("postgresql")))
    with app.app_context():
        upgrade(directory=MIGRATIONS)
        engine = db.engine
    tables = [table.name for table in reversed(db.metadata.sorted_tables)]
    statement = "; ".join([pictures.WITHOUT_TRIGGERS, *(f'DELETE FROM "{name}"' for name in tables)])

    def empty() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    yield House(app, empty, lambda: _both(pictures.of_postgresql(engine, tables), redis_url))
    engine.dispose()


def _both(database: PutBack, redis_url: str) -> PutBack:
    queue = pictures.of_redis(redis_url)

    def put_back() -> None:
        database()
        queue()

    return put_back


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, fresh_world: None) -> House:
    """An application whose database and queue are empty."""
    found: House = request.getfixturevalue(f"{request.param}_house")
    pictures.wait_for_answers(found.app)
    found.empty()
    return found


@pytest.fixture
def app(house: House) -> Flask:
    """The application under test. Its context is not pushed: `with app.app_context():` where rows are touched."""
    return house.app


@pytest.fixture
def sqlite_app(sqlite_house: House, fresh_world: None) -> Flask:
    """For tests in which the database plays no part: SQLite only."""
    pictures.wait_for_answers(sqlite_house.app)
    sqlite_house.empty()
    return sqlite_house.app


@pytest.fixture
def run_jobs(app: Flask, redis_url: str) -> Callable[[], int]:
    """Let a real RQ worker take every waiting job, in this process; answers how many there were."""

    def run() -> int:
        connection = redis.Redis.from_url(redis_url)
        queue = Queue(jobs.QUEUE, connection=connection, serializer=JSONSerializer)
        waiting = len(queue)
        with app.app_context():
            SimpleWorker([queue], connection=connection, serializer=JSONSerializer).work(burst=True)
        return waiting

    return run
