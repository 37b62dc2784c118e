"""Reads of the inbox: its pages by filter, how many events stand at each state, one event with its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import undefer

from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.core.db import db


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which events; empty: all. `named` is the provider's id of the event, or of the object it is about."""

    state: str = ""
    provider: str = ""
    type: str = ""
    named: str = ""


def page(wanted: InboxFilter, *, limit: int, before: str | None = None) -> Sequence[InboxEvent]:
    """Newest first; `before` is the last row of the page before."""
    found = select(InboxEvent).where(*conditions(wanted))
    found = found.order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc()).limit(limit)
    if before and (last := db.session.get(InboxEvent, before)):
        found = found.where(tuple_(InboxEvent.received_at, InboxEvent.id) < (last.received_at, last.id))
    return db.session.scalars(found).all()


def conditions(wanted: InboxFilter) -> list[ColumnElement[bool]]:
    """The filter as SQL; what is listed, counted and replayed is asked for with the same."""
    columns = ((InboxEvent.state, wanted.state), (InboxEvent.provider, wanted.provider), (InboxEvent.type, wanted.type))
    chosen: list[ColumnElement[bool]] = [column == word for column, word in columns if word]
    if wanted.named:
        chosen.append(or_(InboxEvent.event_id == wanted.named, InboxEvent.object_id == wanted.named))
    return chosen


def counts(wanted: InboxFilter) -> dict[str, int]:
    """How many of each state the rest of the filter leaves."""
    rest = InboxFilter(provider=wanted.provider, type=wanted.type, named=wanted.named)
    found = select(InboxEvent.state, func.count()).where(*conditions(rest)).group_by(InboxEvent.state)
    return {state: int(count) for state, count in db.session.execute(found)}


def whole(event_row_id: str) -> InboxEvent | None:
    """One event with its bytes and headers."""
    loaded = (undefer(InboxEvent.body), undefer(InboxEvent.headers))
    return db.session.scalar(select(InboxEvent).where(InboxEvent.id == event_row_id).options(*loaded))


def find(event: str) -> InboxEvent | None:
    """By the provider's id."""
    return db.session.scalars(select(InboxEvent).where(InboxEvent.event_id == event).limit(1)).first()
