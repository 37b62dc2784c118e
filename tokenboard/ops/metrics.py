"""What Prometheus reads, gathered from the database and Redis at every scrape.

Laws: gauges of facts, never counters of one process, so any number of web processes tells the same; every label's
values are listed in our own code (parts, kinds of rows, severities), never a name, an address or an id.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from tokenboard import __version__
from tokenboard.accounts.models import Person
from tokenboard.audit import alert_queries
from tokenboard.core.clock import now, today
from tokenboard.core.db import db
from tokenboard.metering.usage_models import UsageWorkspaceDay
from tokenboard.ops import books_queries, health, jobs_queue, monitoring_queries, waiting_queries
from tokenboard.workspaces.models import Workspace


class _House(Collector):
    """Everything there is to tell, in one pass."""

    def collect(self) -> Iterator[Metric]:
        yield _one("info", "The version that answers.", {"version": __version__}, 1)
        yield from _parts()
        yield from _queue()
        yield from _rows()
        yield from _books()
        yield _many("alerts_open", "Alerts nobody has resolved.", "severity", alert_queries.open_by_severity())
        yield from _use()


def exposition() -> bytes:
    """The text of one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_House())
    return generate_latest(registry)


def _one(name: str, what: str, labels: dict[str, str], value: int) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tokenboard_{name}", what, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def _many(name: str, what: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tokenboard_{name}", what, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _parts() -> Iterator[Metric]:
    found = health.readiness().findings
    yield _many("part_up", "Whether a part works.", "part", {one.part: int(one.is_ok) for one in found})
    alive = monitoring_queries.workers_alive()
    yield _one("workers_alive", "Workers that gave a sign of life within a minute.", {}, alive)


def _queue() -> Iterator[Metric]:
    depths = jobs_queue.depths()
    if depths is not None:  # unknown is not 0: without Redis the series ends
        yield _many("queue_jobs", "Jobs in the queue, by state.", "state", depths)


def _rows() -> Iterator[Metric]:
    rows, instant = waiting_queries.waiting(), now()
    yield _many("rows_waiting", "Rows that must still happen.", "kind", {one.name: one.waiting for one in rows})
    yield _many("rows_late", "Rows given up, or lost by a worker.", "kind", {one.name: one.late for one in rows})
    oldest = {one.name: one.seconds(instant) for one in rows}
    yield _many("rows_oldest_seconds", "How long the oldest has waited.", "kind", oldest)
    syncs = monitoring_queries.syncs()
    yield _one("syncs_failed_today", "Provider syncs that failed within a day.", {}, syncs.failed_today)
    yield _one("connections_rejected", "Provider keys that were refused.", {}, syncs.rejected)


def _books() -> Iterator[Metric]:
    verdict = books_queries.verdict(books_queries.lamps())
    yield _one("books_ok", "Whether every law of the ledger held, and was asked in time.", {}, int(verdict.is_ok))
    yield _one("books_laws_broken", "Laws of the ledger that were broken at the last check.", {}, len(verdict.broken))


def _use() -> Iterator[Metric]:
    """Today's use, demo workspaces left out."""
    names = ("requests", "errors", "credits_micros")
    sums = [func.coalesce(func.sum(getattr(UsageWorkspaceDay, name)), 0) for name in names]
    asked = select(*sums).join(Workspace, Workspace.id == UsageWorkspaceDay.workspace_id)
    found = db.session.execute(asked.where(UsageWorkspaceDay.day_on == today(), Workspace.is_demo.is_(False))).one()
    yield _one("requests_today", "Requests to models this UTC day.", {}, int(found[0]))
    yield _one("request_errors_today", "Of them, those that failed.", {}, int(found[1]))
    yield _one("micro_credits_used_today", "What they cost, in micro-credits.", {}, int(found[2]))
    people = db.session.scalar(select(func.count()).select_from(Person).where(Person.deleted_at.is_(None)))
    yield _one("people", "People who are registered.", {}, people or 0)
