"""Reads of connections and their runs: for the settings page, the API, and the sweeper.

Law: nothing here opens a seal; what leaves is the last four characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from tokenboard.core.db import db
from tokenboard.costs.models import Connection, CostDay, SyncRun
from tokenboard.workspaces.models import Workspace

CONNECTIONS_MAX = 50  # of one workspace, removed ones with history included
_DUE_AT_ONCE = 200  # how many connections one sweep queues for; the next one is 20 seconds away


@dataclass(frozen=True, slots=True)
class ConnectionPicture:
    """A connection as its page shows it."""

    connection: Connection
    latest: SyncRun | None
    days: int
    first_on: date | None
    last_on: date | None

    @property
    def is_live(self) -> bool:
        return self.connection.status != "removed"

    @property
    def is_backing_off(self) -> bool:
        """Whether the run waits for its next attempt; asking by hand shortens that."""
        return self.latest is not None and self.latest.state == "waiting" and self.latest.error_message != ""

    @property
    def is_syncing(self) -> bool:
        return self.latest is not None and self.latest.state in ("waiting", "running")


def find(connection_id: str) -> Connection | None:
    """Any connection, for the access check of its door."""
    return db.session.get(Connection, connection_id)


def live(workspace_id: str, provider: str, *, locked: bool = False) -> Connection | None:
    """The workspace's connection at a provider that is not removed."""
    wanted = select(Connection).where(
        Connection.workspace_id == workspace_id, Connection.provider == provider, Connection.status != "removed"
    )
    if locked:
        # key_share: a worker at a batch keeps adding days to this row; both would wait for each other otherwise.
        wanted = wanted.with_for_update(key_share=True)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()


def of_workspace(workspace_id: str) -> list[Connection]:
    """Every live connection of a workspace, by provider."""
    wanted = select(Connection).where(Connection.workspace_id == workspace_id, Connection.status != "removed")
    return list(db.session.scalars(wanted.order_by(Connection.provider).limit(CONNECTIONS_MAX)))


def pictures(workspace_id: str) -> list[ConnectionPicture]:
    """Live connections first, then removed ones that left a history. One query."""
    latest = aliased(SyncRun)
    newest = (
        select(SyncRun.id)
        .where(SyncRun.connection_id == Connection.id)
        .order_by(SyncRun.queued_at.desc(), SyncRun.id)
        .limit(1)
        .correlate(Connection)
        .scalar_subquery()
    )
    days = (
        select(
            CostDay.connection_id,
            func.count().label("days"),
            func.min(CostDay.on).label("first_on"),
            func.max(CostDay.on).label("last_on"),
        )
        .join(Connection, Connection.id == CostDay.connection_id)
        .where(Connection.workspace_id == workspace_id)
        .group_by(CostDay.connection_id)
        .subquery()
    )
    wanted = (
        select(Connection, latest, func.coalesce(days.c.days, 0), days.c.first_on, days.c.last_on)
        .select_from(Connection)
        .outerjoin(latest, latest.id == newest)
        .outerjoin(days, days.c.connection_id == Connection.id)
        .where(Connection.workspace_id == workspace_id)
        .order_by(Connection.status == "removed", Connection.provider, Connection.created_at.desc())
        .limit(CONNECTIONS_MAX)
    )
    found = [ConnectionPicture(*row) for row in db.session.execute(wanted)]
    return [one for one in found if one.is_live or one.days]


def run_with_connection(run_id: str) -> tuple[SyncRun, Connection] | None:
    """A run and whose it is, for the access check of its door."""
    wanted = select(SyncRun, Connection).join(Connection, Connection.id == SyncRun.connection_id)
    row = db.session.execute(wanted.where(SyncRun.id == run_id)).one_or_none()
    return (row[0], row[1]) if row else None


def _automatic() -> Select[Connection]:
    """Connections that are read without being asked for. Demo workspaces hold made-up numbers and are left alone."""
    return (
        select(Connection)
        .join(Workspace, Workspace.id == Connection.workspace_id)
        .where(Connection.status == "active", Workspace.archived_at.is_(None), Workspace.is_demo.is_(False))
    )


def due(instant: datetime) -> list[Connection]:
    """Connections whose next reading has come, locked for the caller; two callers at once share them out."""
    wanted = _automatic().where(Connection.next_sync_at <= instant).order_by(Connection.next_sync_at)
    return list(
        db.session.scalars(wanted.limit(_DUE_AT_ONCE).with_for_update(of=Connection, skip_locked=True, key_share=True))
    )


def all_automatic(workspace_id: str | None = None) -> Iterator[Connection]:
    """Every connection that is read automatically, page by page."""
    after_id = ""
    while found := every_automatic(workspace_id, after_id):
        yield from found
        after_id = found[-1].id


def every_automatic(workspace_id: str | None = None, after_id: str = "") -> list[Connection]:
    """A page of all connections that are read automatically, by id; of one workspace where it is named."""
    wanted = _automatic().order_by(Connection.id).limit(_DUE_AT_ONCE)
    if workspace_id is not None:
        wanted = wanted.where(Connection.workspace_id == workspace_id)
    if after_id:
        wanted = wanted.where(Connection.id > after_id)
    return list(db.session.scalars(wanted))


def sealed(after_id: str = "") -> list[Connection]:
    """A page of connections that hold a sealed key, by id."""
    wanted = select(Connection).where(Connection.sealed_key != "").order_by(Connection.id).limit(_DUE_AT_ONCE)
    if after_id:
        wanted = wanted.where(Connection.id > after_id)
    return list(db.session.scalars(wanted.with_for_update()))
