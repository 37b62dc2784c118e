"""Everything a dashboard shows, read once: at most nine queries, whatever is shown.

Laws: page and CSV are drawn from the same facts, and the facts come from the costs room's one query layer. Units:
nano-USD; UTC days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tokenboard.core.clock import Month
from tokenboard.costs import breakdown_queries, budget_queries, month_queries, queries
from tokenboard.costs.breakdown_queries import Item, Split
from tokenboard.costs.budget_queries import BudgetRecord
from tokenboard.costs.month_queries import MonthPicture
from tokenboard.costs.period_rules import Period, late_revisions, settled_to
from tokenboard.costs.queries import BillConnection, Scope
from tokenboard.portal.dashboard_view import View

# Unusual days are told from the weeks before them: so much is read before the period.
_BEFORE_PERIOD = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a view."""

    view: View
    connections: Sequence[BillConnection]
    scope: Scope
    picture: MonthPicture
    split: Split
    items: Sequence[Item]
    earlier: Mapping[str, int]
    revised: Mapping[date, int]
    budgets: Sequence[BudgetRecord]
    projects: Sequence[tuple[str, str]]

    @property
    def live(self) -> list[BillConnection]:
        return [one for one in self.connections if not one.is_removed]

    @property
    def providers(self) -> list[str]:
        return sorted({one.provider for one in self.connections if not one.is_removed or one.first_on})

    @property
    def is_empty(self) -> bool:
        """No connection, and no history of one."""
        return not self.live and self.scope.known_since is None

    @property
    def has_bill(self) -> bool:
        """Whether any day of any bill has arrived."""
        return any(one.first_on is not None for one in self.connections)

    @property
    def synced_at(self) -> datetime | None:
        chosen = [one for one in self.connections if self.view.provider in (None, one.provider)]
        return queries.last_synced_at(chosen)

    @property
    def settled_on(self) -> date | None:
        return settled_to(self.view.today, self.synced_at)

    @property
    def is_first_reading(self) -> bool:
        """Whether days are still arriving that were never read before."""
        return any(_is_first_reading(one) for one in self.connections)

    @property
    def is_comparable(self) -> bool:
        """Whether the earlier days are known: days that were not read are not days of zero."""
        known_since = self.scope.known_since
        return not self.is_first_reading and known_since is not None and known_since <= self.view.compared_with.first

    @property
    def total_nano(self) -> int:
        """The sum of what is listed."""
        return sum(item.nano for item in self.items)

    @property
    def earlier_nano(self) -> int:
        return sum(self.earlier.values())


def read_facts(workspace_id: str, view: View) -> Facts:
    """Read them."""
    connections = queries.connections(workspace_id)
    if view.is_plain and any(_is_first_reading(one) for one in connections):
        view = view.changed(is_arriving=True)
    scope = queries.scope_of(connections, provider=view.provider, project_id=view.project_id)
    picture = _picture(scope, view)
    split = breakdown_queries.split(scope, view.by, view.period.joined(view.booked, view.compared_with))
    whole_bill = view.project_id is None
    return Facts(
        view=view,
        connections=connections,
        scope=scope,
        picture=picture,
        split=split,
        items=_items(scope, view, split),
        earlier=_chosen(view, split.totals(view.compared_with)),
        revised=late_revisions(queries.revisions(scope, view.period)) if whole_bill else {},
        budgets=budget_queries.budgets_with_alerts(workspace_id, months_of(view.period)),
        projects=breakdown_queries.projects(scope),
    )


def _is_first_reading(one: BillConnection) -> bool:
    """A new key queues a backfill too, but its days are there already."""
    is_backfill = one.run is not None and one.run.reason == "backfill" and one.run.state == "running"
    return is_backfill and one.last_synced_at is None


def _picture(scope: Scope, view: View) -> MonthPicture:
    needed = month_queries.needed(view.month, view.today)
    reach = Period(view.period.first - _BEFORE_PERIOD, view.period.last)
    totals = queries.daily_totals(scope, needed.joined(reach, view.compared_with))
    return month_queries.picture_of(totals, view.month, view.today, scope.known_since)


def _items(scope: Scope, view: View, split: Split) -> list[Item]:
    totals = _chosen(view, split.totals(view.booked))
    return breakdown_queries.items(split, totals, breakdown_queries.usage(scope, view.by, view.booked))


def _chosen(view: View, totals: Mapping[str, int]) -> dict[str, int]:
    """All of it, or the one name the view is filtered to."""
    return {key: nano for key, nano in totals.items() if view.name in (None, key)}


def months_of(period: Period) -> list[Month]:
    """Every month a period touches."""
    first, last = Month.of(period.first), Month.of(period.last)
    months = [first]
    while months[-1] < last:  # a period is at most 400 days: 14 months
        months.append(months[-1].shift(1))
    return months
