"""How use spreads over days, and what there is to choose from: reads for charts and filters. One query each.

Units: micro-credits; UTC days. Access has been decided by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import BigInteger, ColumnElement, cast, func, select

from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.metering.usage_models import NIL, UsageDay
from tokenboard.metering.usage_rules import By, Filters, Span

MOST_POINTS = 100_000
MOST_CHOICES = 5_000
_COLUMNS = {By.MODEL: "model", By.KEY: "key_id", By.USER: "person_id", By.SOURCE: "source"}


@dataclass(frozen=True, slots=True)
class Choices:
    """What a span's use consists of. `people` by id, '' for who has left; the names of keys are the keys room's."""

    models: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    key_ids: list[str] = field(default_factory=list)
    people: Mapping[str, str] = field(default_factory=dict)


def daily_credits(workspace_id: str, span: Span, by: By, filters: Filters) -> dict[str, dict[date, int]]:
    """What each part of a breakdown took on each day. By day there are no parts: all of it is one, without a name."""
    chosen = _chosen(workspace_id, span, filters)
    taken = cast(func.sum(UsageDay.__table__.c.credits_micros), BigInteger)
    if by == By.DAY:
        whole = select(UsageDay.day_on, taken).where(*chosen).group_by(UsageDay.day_on)
        return {"": {row[0]: row[1] for row in db.session.execute(whole)}}
    part = getattr(UsageDay, _COLUMNS[by])
    asked = select(part, UsageDay.day_on, taken).where(*chosen).group_by(part, UsageDay.day_on).limit(MOST_POINTS)
    found: dict[str, dict[date, int]] = {}
    for key, day, micros in db.session.execute(asked):
        found.setdefault("" if key == NIL else key, {})[day] = micros
    return found


def choices(workspace_id: str, span: Span) -> Choices:
    """The models, sources, keys and people of a span, by name."""
    name = func.coalesce(func.nullif(Person.display_name, ""), Person.email)
    asked = (
        select(UsageDay.model, UsageDay.source, UsageDay.key_id, UsageDay.person_id, name)
        .outerjoin(Person, Person.id == UsageDay.person_id)
        .where(*_chosen(workspace_id, span, Filters()))
        .distinct()
        .limit(MOST_CHOICES)
    )
    found = list(db.session.execute(asked))
    people = {person_id: told or "" for _, _, _, person_id, told in found if person_id != NIL}
    return Choices(
        models=sorted({model for model, *_ in found}),
        sources=sorted({source for _, source, *_ in found}),
        key_ids=sorted({key_id for _, _, key_id, *_ in found} - {NIL}),
        people=people,
    )


def _chosen(workspace_id: str, span: Span, filters: Filters) -> list[ColumnElement[bool]]:
    found = [UsageDay.workspace_id == workspace_id, UsageDay.day_on.between(span.first, span.last)]
    wanted = {name: getattr(filters, name) for name in ("model", "source", "key_id", "person_id")}
    return found + [getattr(UsageDay, name) == value for name, value in wanted.items() if value is not None]
