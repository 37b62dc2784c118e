"""A connected workspace for the tests of syncs: its rows, its runs, and the sandbox behind it, over real HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import wraps
from typing import Any, TypeVar

import pytest
import requests
from flask import Flask, has_app_context
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.people import People
from tokenboard.core.clock import today
from tokenboard.core.db import Base, db
from tokenboard.core.settings import settings
from tokenboard.costs import service, sync_runs, tasks
from tokenboard.costs.models import Connection, CostDay, CostTotal, SyncRun
from tokenboard.costs.period_rules import Period
from tokenboard.costs.sync_rules import Plan, Reason
from tokenboard.providers.http import Http, Patience
from tokenboard.wiring import WiredClients

COMPANY = "sk-admin-sandbox"  # months of believable numbers, and slower for it
EMPTY = "sk-admin-sandbox-empty"  # nothing used yet, unless scripted
T = TypeVar("T")
COSTS = "/openai/v1/organization/costs"


def in_context(method: Callable[..., T]) -> Callable[..., T]:
    """Run in the test's application context, or in one of its own: requests must not find a context pushed already."""

    @wraps(method)
    def call(self: Syncing, *given: Any, **named: Any) -> T:
        with contextlib.nullcontext() if has_app_context() else self.app.app_context():
            return method(self, *given, **named)

    return call


@dataclass
class Syncing:
    """What a test of syncs does, in its own words."""

    app: Flask
    people: People
    url: str
    slept_seconds: list[float] = field(default_factory=list)

    def order(self, path: str, body: dict[str, Any]) -> None:
        """A call of the sandbox's control API that must succeed."""
        answer = requests.post(f"{self.url}/_control/{path}", json=body, timeout=5)
        assert answer.status_code == 200, answer.text

    def script(self, *pages: object, path: str = COSTS) -> None:
        """Serve these pages word for word, one after the other."""
        self.order("openai/script", {"path": path, "pages": list(pages)})

    def fault(self, fault: str, path: str = COSTS, times: int = 1) -> None:
        self.order("faults", {"path": path, "fault": fault, "times": times})

    def ask_to_connect(self, who: str = "alice", **more: Any) -> TestResponse:
        """POST /api/openai/connect for the team, with a key that works unless told otherwise."""
        body = {"workspaceId": self.people.team_id, "apiKey": EMPTY, "mode": "organization"} | more
        return self.people.bearer(getattr(self.people, who)).post("/api/openai/connect", json=body)

    @in_context
    def connect(self, key: str = EMPTY, provider: str = "openai", mode: str = "organization") -> str:
        """Store a key as connecting does, without trying it first; answers the connection's id."""
        vault = service.Vault(settings().encryption_keys, settings().secret_key)
        connected = service.connect(
            workspace_id=self.people.team_id,
            provider=provider,
            mode=mode,
            api_key=key,
            actor_id=self.people.alice.id,
            vault=vault,
        )
        db.session.commit()
        return connected.connection.id

    @in_context
    def run_waiting(self, connection_id: str) -> SyncRun:
        """Let the worker take the run that waits; answers it as it is then."""
        waiting = self.waiting(connection_id)
        assert waiting is not None, "no run waits"
        tasks.run_sync(waiting.id)
        return self.run(waiting.id)

    @in_context
    def waiting(self, connection_id: str) -> SyncRun | None:
        wanted = select(SyncRun).where(SyncRun.connection_id == connection_id, SyncRun.state == "waiting")
        return self._ended(db.session.scalars(wanted.execution_options(populate_existing=True)).one_or_none())

    @in_context
    def run(self, run_id: str) -> SyncRun:
        return self._ended(db.session.get_one(SyncRun, run_id, populate_existing=True))

    @in_context
    def connection(self, connection_id: str) -> Connection:
        return self._ended(db.session.get_one(Connection, connection_id, populate_existing=True))

    @staticmethod
    def _ended(found: Any) -> Any:
        """Ends the reading transaction: SQLite's one writer must not wait for a test that looks."""
        db.session.commit()
        return found

    @in_context
    def read(self, connection_id: str, days: int = 3) -> SyncRun:
        """Read the last few days instead of what waits."""
        self.drop_waiting(connection_id)
        run = self.queue(connection_id, today() - timedelta(days=days - 1), today())
        tasks.run_sync(run.id)
        return self.run(run.id)

    @in_context
    def connect_for(self, days: int, key: str = COMPANY) -> str:
        """Connect, and wait to read the last few days only."""
        connection_id = self.connect(key)
        self.drop_waiting(connection_id)
        self.queue(connection_id, today() - timedelta(days=days - 1), today())
        return connection_id

    @in_context
    def queue(self, connection_id: str, first: date | None = None, last: date | None = None) -> SyncRun:
        """A manual run of these days."""
        plan = Plan(Reason.MANUAL, Period(first or today(), last or today()))
        queued = sync_runs.queue(self.connection(connection_id), plan, at_once=True)
        db.session.commit()
        return queued.run

    @in_context
    def drop_waiting(self, connection_id: str) -> None:
        """Forget the backfill that connecting queued."""
        sync_runs.cancel(connection_id, code="test", message="")
        db.session.commit()

    @in_context
    def days(self, connection_id: str) -> dict[date, int]:
        """The bill as it is kept: nano-USD by day."""
        wanted = select(CostDay.on, CostDay.amount_nano).where(CostDay.connection_id == connection_id)
        return self._ended(dict(db.session.execute(wanted.order_by(CostDay.on)).all()))

    @in_context
    def totals(self, connection_id: str, dimension: str) -> dict[str, int]:
        """A roll-up over all days: nano-USD by key."""
        found: dict[str, int] = {}
        wanted = select(CostTotal).where(CostTotal.connection_id == connection_id, CostTotal.dimension == dimension)
        for total in db.session.scalars(wanted):
            found[total.key] = found.get(total.key, 0) + total.amount_nano
        return self._ended(found)

    @in_context
    def rows(self, row: type[Base]) -> list[Any]:
        return self._ended(list(db.session.scalars(select(row).execution_options(populate_existing=True))))


def page(*buckets: dict[str, Any], next_page: str | None = None) -> dict[str, Any]:
    """One page of an answer."""
    return {"object": "page", "data": list(buckets), "has_more": next_page is not None, "next_page": next_page}


def bucket(day: date, *rows: dict[str, Any]) -> dict[str, Any]:
    """One day of a costs answer."""
    start = int(f"{(day - date(1970, 1, 1)).days * 86_400}")
    return {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": list(rows)}


def cost(value: object, currency: str = "usd", **named: str) -> dict[str, Any]:
    """One row of a day's bill."""
    return {"object": "organization.costs.result", "amount": {"value": value, "currency": currency}} | named


PATIENCE = Patience(connect_seconds=1, read_seconds=10, answer_seconds=20, attempts=3)


@pytest.fixture
def outside(people: People, sandbox_url: str) -> Iterator[Syncing]:
    """The team's workspace, an empty sandbox, and clients that note their pauses instead of sleeping. No context."""
    with driving(people, sandbox_url) as driven:
        yield driven


@pytest.fixture
def sqlite_outside(sqlite_people: People, sandbox_url: str) -> Iterator[Syncing]:
    """The same for long tables of cases in which the database plays no part."""
    with driving(sqlite_people, sandbox_url) as driven:
        yield driven


@contextlib.contextmanager
def driving(people: People, sandbox_url: str) -> Iterator[Syncing]:
    """Drive the cast's application for one test."""
    app = people.app
    driven = Syncing(app, people, sandbox_url)
    driven.order("reset", {})
    wired = app.extensions["clients"]
    http = Http(patience=PATIENCE, sleep=driven.slept_seconds.append, jitter=lambda: 0.5)
    app.extensions["clients"] = WiredClients(app.extensions["settings"], http)
    try:
        yield driven
    finally:
        http.close()
        app.extensions["clients"] = wired


@pytest.fixture
def syncing(outside: Syncing) -> Iterator[Syncing]:
    """The same inside an application context, as a worker has it."""
    with outside.app.app_context():
        yield outside
        db.session.remove()


@pytest.fixture
def sqlite_syncing(sqlite_outside: Syncing) -> Iterator[Syncing]:
    """A worker's context, on SQLite only."""
    with sqlite_outside.app.app_context():
        yield sqlite_outside
        db.session.remove()
