"""What a sync run reads with a personal key: the prepaid balance, and from its differences what was spent.

Laws: two readings tell what was spent between them, and that counts on the day of the later one; the first reading
tells nothing of the past, nor does the first one with another key, which may be another account's. A day is computed
anew from its readings every time, so reading twice counts once. A balance that was used less than before (grants taken
back) is no negative spend. Source: reference/openai-admin.md A6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Protocol, runtime_checkable

from sqlalchemy import select

from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.costs import sync_rules, sync_runs, sync_write
from tokenboard.costs.models import CreditSnapshot, SyncRun
from tokenboard.costs.sync_rules import Reason
from tokenboard.costs.sync_runs import Lease
from tokenboard.providers.costs import CostDay, CostRow, CreditGrants

LINE_ITEM = "Prepaid credits used"
_READINGS_A_DAY_MAX = 2_000  # one every 43 seconds
_NEW_KEYS_MAX = 100  # of a day; the newest


@runtime_checkable
class BalanceReader(Protocol):
    """A provider's client that can read a prepaid balance."""

    def credit_grants(self) -> CreditGrants:
        """The balance. Raises: ProviderError."""

    def check_balance(self) -> CreditGrants:
        """The same for a person who waits. Raises: ProviderError."""


def read_and_write(lease: Lease, reader: BalanceReader) -> Iterator[None]:
    """Read the balance and write today's spend; the caller commits at every yield. Raises: ProviderError, LostLease."""
    told = reader.credit_grants()
    instant = clock.now()
    _keep(lease, told, instant)
    spent = spent_on(instant.date(), lease.connection_id)
    row = CostRow(None, LINE_ITEM, None, spent, sync_rules.CURRENCY)
    done = lease.period.last + timedelta(days=1)
    sync_write.write_costs(lease, [CostDay(instant.date(), (row,) if spent else ())], reached_on=done)
    yield


def _keep(lease: Lease, told: CreditGrants, instant: datetime) -> None:
    sync_runs.hold(lease)
    expiring = [grant.expires_at for grant in told.grants if grant.expires_at and grant.expires_at > instant]
    db.session.add(
        CreditSnapshot(
            connection_id=lease.connection_id,
            seen_at=instant,
            granted_nano=told.granted_nano,
            used_nano=told.used_ever_nano,
            available_nano=told.available_nano,
            expires_at=min(expiring, default=None),
        )
    )
    db.session.flush()


def spent_on(day: date, connection_id: str) -> int:
    """What the day's readings and the last one before them say was spent. Units: nano-USD."""
    readings = _readings_since(clock.midnight(day), connection_id)
    new_keys = _new_keys(connection_id)
    return sum(
        max(0, used - used_before)
        for (before, used_before), (seen_at, used) in pairwise(readings)
        if not any(before < changed_at <= seen_at for changed_at in new_keys)
    )


def _new_keys(connection_id: str) -> Sequence[datetime]:
    """When a key was put in: each begins with a backfill."""
    ours = select(SyncRun.queued_at).where(SyncRun.connection_id == connection_id, SyncRun.reason == Reason.BACKFILL)
    return db.session.scalars(ours.order_by(SyncRun.queued_at.desc()).limit(_NEW_KEYS_MAX)).all()


def _readings_since(midnight: datetime, connection_id: str) -> Sequence[tuple[datetime, int]]:
    readings = select(CreditSnapshot.seen_at, CreditSnapshot.used_nano)
    ours = readings.where(CreditSnapshot.connection_id == connection_id)
    before = db.session.execute(
        ours.where(CreditSnapshot.seen_at < midnight).order_by(CreditSnapshot.seen_at.desc()).limit(1)
    )
    of_day = db.session.execute(
        ours.where(CreditSnapshot.seen_at >= midnight).order_by(CreditSnapshot.seen_at).limit(_READINGS_A_DAY_MAX)
    )
    return [(seen_at, used) for seen_at, used in (*before, *of_day)]
