"""The bill split by project, line item, model or API key, per day, with names and usage beside it.

Laws: every split of a period sums to the same total, to the nano-dollar. By model: bill_rules.py. Where a project is
picked and the split is by something else, two dimensions meet and the rows themselves are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from tokenboard.core.db import db
from tokenboard.costs.bill_rules import By, ModelNames, display_names, shares, sums
from tokenboard.costs.models import CostRow, CostTotal, ProviderName, SeenModel, UsageRow, UsageTotal
from tokenboard.costs.period_rules import Period
from tokenboard.costs.queries import Scope, summed, within

_COST_COLUMNS = {By.PROJECT: CostRow.project_id, By.LINE_ITEM: CostRow.line_item, By.API_KEY: CostRow.api_key_id}
_USAGE_COLUMNS = {By.PROJECT: UsageRow.project_id, By.MODEL: UsageRow.model, By.API_KEY: UsageRow.api_key_id}
LONGEST_NAME_LIST = 20_000


@dataclass(frozen=True, slots=True)
class Usage:
    """How much was asked of the provider."""

    requests: int
    input_tokens: int
    output_tokens: int

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Split:
    """A bill split by one dimension: for each key its days and its name."""

    by: By
    daily: Mapping[str, Mapping[date, int]]
    names: Mapping[str, str]

    def total(self, key: str, period: Period) -> int:
        return sum(nano for day, nano in self.daily.get(key, {}).items() if period.holds(day))

    def totals(self, period: Period) -> dict[str, int]:
        """Each key's sum over a period, largest first; keys without a cost in it are left out."""
        found = {
            key: sum(nano for day, nano in days.items() if period.holds(day))
            for key, days in self.daily.items()
            if any(period.holds(day) for day in days)
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1], self.names[item[0]])))


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a breakdown."""

    key: str
    name: str
    nano: int
    share: Decimal
    usage: Usage | None


def split(scope: Scope, by: By, period: Period) -> Split:
    """The bill of a period by day and key."""
    cost_by = By.LINE_ITEM if by is By.MODEL else by
    rows = summed(_statement(scope, cost_by, period))
    if by is By.MODEL:
        models = seen_models(scope)
        of = {key: models.model_of(key) for key in {key for key, _, _ in rows}}
        rows = [(of[key], day, nano) for key, day, nano in rows]
    daily: dict[str, dict[date, int]] = {}
    for (key, day), nano in sums(((key, day), nano) for key, day, nano in rows).items():
        daily.setdefault(key, {})[day] = nano
    return Split(by, daily, display_names(by, daily, names(scope, by, daily)))


def _statement(scope: Scope, by: By, period: Period) -> sa.Select[str, date, int]:
    """Sums by key and day: from the roll-up, or from the rows where a project meets another dimension."""
    if scope.project_id is None or by is By.PROJECT:
        statement = (
            sa.select(CostTotal.key, CostTotal.on, sa.func.sum(CostTotal.amount_nano))
            .where(within(CostTotal, scope, period), CostTotal.dimension == by.value)
            .group_by(CostTotal.key, CostTotal.on)
        )
        return statement if scope.project_id is None else statement.where(CostTotal.key == scope.project_id)
    column = _COST_COLUMNS[by]
    return (
        sa.select(column, CostRow.on, sa.func.sum(CostRow.amount_nano))
        .where(within(CostRow, scope, period), CostRow.project_id == scope.project_id)
        .group_by(column, CostRow.on)
    )


def breakdown(scope: Scope, by: By, period: Period) -> list[Item]:
    """A period's bill by key, largest first, with shares and what is known of usage."""
    parts = split(scope, by, period)
    totals, used = parts.totals(period), usage(scope, by, period)
    return items(parts, totals, used)


def items(parts: Split, totals: Mapping[str, int], used: Mapping[str, Usage]) -> list[Item]:
    """Totals dressed with names, shares and usage."""
    ratios = shares(list(totals.values()))
    return [
        Item(key, parts.names[key], nano, ratio, used.get(key))
        for (key, nano), ratio in zip(totals.items(), ratios, strict=True)
    ]


def usage(scope: Scope, by: By, period: Period) -> dict[str, Usage]:
    """Requests and tokens by key; the bill's line items have none."""
    if by is By.LINE_ITEM:
        return {}
    if scope.project_id is None or by is By.PROJECT:
        rows: type[UsageTotal] | type[UsageRow] = UsageTotal
        key: sa.orm.InstrumentedAttribute[str] = UsageTotal.key
        picked = [UsageTotal.dimension == by.value]
        if scope.project_id is not None:
            picked.append(UsageTotal.key == scope.project_id)
    else:
        rows, key = UsageRow, _USAGE_COLUMNS[by]
        picked = [UsageRow.project_id == scope.project_id]
    counts = [sa.func.sum(column) for column in (rows.requests, rows.input_tokens, rows.output_tokens)]
    statement = sa.select(key, *counts).where(within(rows, scope, period), *picked).group_by(key)
    return {name: Usage(*map(int, numbers)) for name, *numbers in db.session.execute(statement)}


def seen_models(scope: Scope) -> ModelNames:
    """Every model that usage has named in these connections."""
    statement = sa.select(SeenModel.model).where(SeenModel.connection_id.in_(scope.connection_ids)).distinct()
    return ModelNames.of(db.session.scalars(statement.limit(LONGEST_NAME_LIST)))


def names(scope: Scope, by: By, keys: Iterable[str]) -> dict[str, str]:
    """What the provider calls its projects and keys; the newest connection's word counts."""
    if by not in (By.PROJECT, By.API_KEY) or not any(keys):
        return {}
    statement = (
        sa.select(ProviderName.connection_id, ProviderName.external_id, ProviderName.name)
        .where(ProviderName.connection_id.in_(scope.connection_ids), ProviderName.kind == by.value)
        .order_by(ProviderName.external_id)
        .limit(LONGEST_NAME_LIST)
    )
    place = {connection_id: index for index, connection_id in enumerate(scope.connection_ids)}
    found = sorted(db.session.execute(statement), key=lambda row: -place[row[0]])
    return {external_id: name for _, external_id, name in found if name}


def projects(scope: Scope) -> list[tuple[str, str]]:
    """Every project, as (id, name), by name: what a page offers to choose from. Without names, those on the bill."""
    named = names(scope, By.PROJECT, ("any",)) or {key: key for key in _billed_projects(scope)}
    return sorted(display_names(By.PROJECT, named, named).items(), key=lambda pair: (pair[1].casefold(), pair[0]))


def is_billed(scope: Scope, project_id: str) -> bool:
    """Whether a project is on the bill, also one that the provider no longer names."""
    wanted = sa.select(CostTotal.key).where(
        CostTotal.connection_id.in_(scope.connection_ids),
        CostTotal.dimension == By.PROJECT.value,
        CostTotal.key == project_id,
    )
    return db.session.scalar(wanted.limit(1)) is not None


def _billed_projects(scope: Scope) -> list[str]:
    statement = (
        sa.select(CostTotal.key)
        .where(CostTotal.connection_id.in_(scope.connection_ids), CostTotal.dimension == By.PROJECT.value)
        .where(CostTotal.key != "")
    )
    return list(db.session.scalars(statement.distinct().limit(LONGEST_NAME_LIST)))
