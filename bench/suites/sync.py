"""A whole sync of a large organisation, over real HTTP: 180 days × 40 projects × 10 line items = 72,000 cost rows.

Limit: reading the same answers with the same client and writing nothing. Peer: what an import usually does, one ORM
object a row, for the same rows. Goal: the days, totals, revisions, lease and progress cost at most as much as
reading three times over (ratio ≤ 4: ours also reads ten usage reports and the names).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import delete

from bench.bill import EMAIL, PASSWORD
from bench.houses import application
from bench.measuring import Result, Sample, rounds
from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.costs import service, sync_runs, tasks
from tokenboard.costs.models import Connection, CostRow, SyncRun
from tokenboard.costs.period_rules import Period
from tokenboard.costs.sync_rules import Plan, Reason
from tokenboard.portal.signup import sign_up
from tokenboard.providers.costs import CostDay
from tokenboard.sandbox.app import create_sandbox
from tokenboard.sandbox.serving import serving
from tokenboard.web.clients import clients

KEY = "sk-admin-sandbox-large"
DAYS, QUICK_DAYS = 180, 31


def measure(quick: bool) -> list[Result]:
    """The sync on SQLite and (unless quick) on PostgreSQL."""
    days = QUICK_DAYS if quick else DAYS
    with tempfile.TemporaryDirectory() as folder, serving(create_sandbox(Path(folder) / "sandbox.sqlite3")) as url:
        results = []
        for kind in ("sqlite",) if quick else ("sqlite", "postgresql"):
            with application(kind, SANDBOX_URL=url) as app, app.app_context():
                results.append(_sync(kind, app, days, quick))
        return results


def _sync(kind: str, app: Flask, days: int, quick: bool) -> Result:
    connection = _connected()
    last = clock.today()
    period = Period(last - timedelta(days=days - 1), last)
    read = _read(period)  # the first reading also warms the sandbox
    contenders = {
        "ours": lambda: _import(connection, period),
        "limit": lambda: _read(period),
        "peer": lambda: _one_object_a_row(connection.id, read),
    }
    series: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(rounds(quick)):
        for name, call in contenders.items():
            series[name].append(_timed(call))
    rows = sum(len(day.rows) for day in read)
    fastest = min(sample.wall_ms for sample in series["ours"])
    notes: dict[str, object] = {"cost rows": rows, "rows/s": round(rows / fastest * 1000), "peer": "writing only"}
    what = "whole sync / reading the provider alone; peer: the rows as ORM objects"
    return Result(f"{kind}/sync", what, "≤ 4", series["ours"], series["limit"], series["peer"], bound=4, notes=notes)


def _timed(call: Callable[[], object]) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Sample((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000, 1)


def _connected() -> Connection:
    signed_up = sign_up(email=EMAIL, password=PASSWORD)
    vault = service.Vault(settings().encryption_keys, settings().secret_key)
    made = service.connect(
        workspace_id=signed_up.workspace.id,
        provider="openai",
        mode="organization",
        api_key=KEY,
        actor_id=signed_up.person.id,
        vault=vault,
    )
    db.session.execute(delete(SyncRun))  # the backfill that connecting queued: each round brings its own
    db.session.commit()
    return made.connection


def _read(period: Period) -> list[CostDay]:
    reader = clients().costs("openai", KEY)
    return list(reader.costs(period.first, period.last + timedelta(days=1)))


def _import(connection: Connection, period: Period) -> None:
    run = sync_runs.queue(connection, Plan(Reason.MANUAL, period), at_once=True).run
    db.session.commit()
    tasks.run_sync(run.id)
    db.session.refresh(run)
    assert run.state == "done", run.error_message


def _one_object_a_row(connection_id: str, days: list[CostDay]) -> None:
    db.session.execute(delete(CostRow))
    for day in days:
        for line, row in enumerate(day.rows):
            told = {"project_id": row.project_id or "", "line_item": row.line_item or ""}
            db.session.add(
                CostRow(connection_id=connection_id, on=day.day, line=line, amount_nano=row.amount_nano, **told)
            )
    db.session.commit()
    db.session.expunge_all()
