"""The house's own bill: what the provider connections of administrators' workspaces tell, by day and model.

Law: a workspace that no administrator owns watches a bill of its own, which is none of the house's. A key that is
connected twice counts once. Units: nano-USD; UTC days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select

from tokenboard.accounts.models import Person
from tokenboard.core.clock import today
from tokenboard.core.db import db
from tokenboard.costs import breakdown_queries, queries
from tokenboard.costs.bill_rules import By
from tokenboard.costs.models import Connection
from tokenboard.costs.period_rules import Period, settled_to
from tokenboard.costs.queries import BillConnection
from tokenboard.ops.threeway_rules import Key, plain_model
from tokenboard.workspaces.models import Membership, Role, Workspace


@dataclass(frozen=True, slots=True)
class Source:
    """One connection whose bill counts."""

    provider: str
    last4: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Bill:
    """The house's bill of some days. `settled_on`: the last day no provider changes any more."""

    nano: Mapping[Key, int] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    providers: frozenset[str] = frozenset()
    known_since: date | None = None
    settled_on: date | None = None

    def is_final(self, day: date, provider: str | None) -> bool:
        """Whether a day's bill is there and stands; a model of a provider whose bill is not read has none."""
        if self.known_since is None or self.settled_on is None:
            return False
        is_read = not provider or provider in self.providers
        return is_read and self.known_since <= day <= self.settled_on


def bill(period: Period) -> Bill:
    """Read it: four queries a workspace."""
    nano: dict[Key, int] = defaultdict(int)
    sources, firsts, settled = [], [], []
    seen: set[tuple[str, str]] = set()
    for workspace_id, name in _house_workspaces():
        own = _unseen(workspace_id, seen)
        if not own:
            continue
        scope = queries.scope_of(own)
        split = breakdown_queries.split(scope, By.MODEL, period)
        for model, days in split.daily.items():
            for day, amount in days.items():
                nano[day, plain_model(model)] += amount
        sources += [Source(one.provider, one.last4, name) for one in own if not one.is_removed]
        firsts.append(scope.known_since)
        settled.append(settled_to(today(), queries.last_synced_at(own)))
    known = [one for one in settled if one is not None]
    return Bill(
        nano=dict(nano),
        sources=tuple(sources),
        providers=frozenset(one.provider for one in sources),
        known_since=min((one for one in firsts if one is not None), default=None),
        settled_on=min(known) if known and len(known) == len(settled) else None,
    )


def _house_workspaces() -> list[tuple[str, str]]:
    """The workspaces that administrators own; whose connection is oldest comes first, for it has read the longest.

    Demo workspaces are left out.
    """
    wanted = (
        select(Workspace.id, Workspace.name)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.role == Role.OWNER, Person.is_admin.is_(True), Workspace.is_demo.is_(False))
        .join(Connection, Connection.workspace_id == Workspace.id)
        .group_by(Workspace.id, Workspace.name)
        .order_by(func.min(Connection.created_at), Workspace.id)
    )
    return [(workspace_id, name) for workspace_id, name in db.session.execute(wanted)]


def _unseen(workspace_id: str, seen: set[tuple[str, str]]) -> list[BillConnection]:
    """A workspace's connections but those whose key another workspace has brought."""
    found = queries.connections(workspace_id)
    wanted = select(Connection.id, Connection.provider, Connection.key_fingerprint)
    rows = db.session.execute(wanted.where(Connection.workspace_id == workspace_id))
    prints = {connection_id: (provider, fingerprint) for connection_id, provider, fingerprint in rows}
    fresh = [one for one in found if not prints[one.id][1] or prints[one.id] not in seen]
    seen.update(prints.values())
    return fresh
