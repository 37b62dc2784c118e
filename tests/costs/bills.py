"""A workspace whose bill a test writes row by row, through the functions a sync uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tokenboard.core import clock
from tokenboard.core.clock import midnight
from tokenboard.core.db import db, new_id
from tokenboard.costs import sync_runs, sync_write
from tokenboard.costs.models import Connection, SyncRun
from tokenboard.costs.sync_rules import Reason, State
from tokenboard.providers.costs import CostDay, CostRow, KeyName, ProjectName, UsageDay, UsageRow

NOVEMBER_20 = midnight(date(2026, 11, 20)).replace(hour=12)

Row = tuple[str, str, str, int]  # project, line item, API key, nano-USD


def bill_row(project: str = "", line_item: str = "", api_key: str = "", nano: int = 0) -> CostRow:
    return CostRow(project, line_item, api_key, nano, "usd")


@dataclass
class Bill:
    """One connection's bill."""

    workspace_id: str
    connection_id: str

    @classmethod
    def of(
        cls,
        workspace_id: str,
        *,
        provider: str = "openai",
        mode: str = "organization",
        status: str = "active",
        synced_at: datetime | None = None,
        **more: object,
    ) -> Bill:
        """A connection without a key: tests write what a provider would have told."""
        connection = Connection(
            id=new_id(),
            workspace_id=workspace_id,
            provider=provider,
            mode=mode,
            status=status,
            sealed_key="",
            key_fingerprint="",
            last4="t3st",
            last_synced_at=synced_at or clock.now(),
            **more,
        )
        db.session.add(connection)
        db.session.commit()
        return cls(workspace_id, connection.id)

    def tell(self, days: Mapping[date, Sequence[Row]]) -> Bill:
        """The provider's bill of these days, as it stands at this moment."""
        told = [CostDay(day, tuple(bill_row(*row) for row in rows)) for day, rows in days.items()]
        with _lease(self.connection_id, told[0].day) as lease:
            sync_write.write_costs(lease, told, reached_on=None)
        return self

    def tell_totals(self, days: Mapping[date, int]) -> Bill:
        """Days of one nameless row each."""
        return self.tell({day: [("", "", "", nano)] for day, nano in days.items()})

    def remove(self) -> Bill:
        """The connection was removed and its history kept."""
        db.session.get_one(Connection, self.connection_id).status = "removed"
        db.session.commit()
        return self

    def use(self, kind: str, days: Mapping[date, Sequence[UsageRow]]) -> Bill:
        with _lease(self.connection_id, next(iter(days))) as lease:
            sync_write.write_usage(lease, kind, [UsageDay(day, tuple(rows)) for day, rows in days.items()])
        return self

    def saw_models(self, *models: str, on: date = date(2026, 11, 1)) -> Bill:
        """Usage named these models."""
        return self.use("completions", {on: [UsageRow("completions", "", model, "", requests=1) for model in models]})

    def names(self, projects: Mapping[str, str] | None = None, keys: Mapping[str, str] | None = None) -> Bill:
        with _lease(self.connection_id, date(2026, 11, 1)) as lease:
            sync_write.write_names(
                lease,
                [ProjectName(key, name) for key, name in (projects or {}).items()],
                [KeyName(key, name, None) for key, name in (keys or {}).items()],
            )
        return self


class _lease:  # noqa: N801 - reads as what it does
    """A run of its own around each write, ended and committed after it."""

    def __init__(self, connection_id: str, day: date) -> None:
        self._connection_id, self._day = connection_id, day

    def __enter__(self) -> sync_runs.Lease:
        run = SyncRun(
            connection_id=self._connection_id,
            reason=Reason.MANUAL,
            since_on=self._day,
            until_on=self._day,
            reached_on=self._day,
        )
        db.session.add(run)
        db.session.flush()
        lease = sync_runs.take(run.id)
        assert lease is not None
        self._lease = lease
        return lease

    def __exit__(self, *_: object) -> None:
        sync_runs.end(self._lease, State.DONE)
        db.session.commit()
