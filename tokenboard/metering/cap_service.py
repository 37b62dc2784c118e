"""Caps of keys, members and persons: what they have used and hold in a window of time, moved beside the wallet's hold.

Laws: a call locks its windows first (keys, members, persons) and the wallet after them, when it begins
and when it settles, so no two calls wait for each other in a circle; every window is kept whether it has a cap or not,
so that a cap set in mid-month knows what was used. The window is the one in which the call began.
Units: micro-credits; a person's and a member's cap is kept in US cents of credits, a key's budget is not.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, select, update

from tokenboard.audit.alerts import raise_alert
from tokenboard.core.db import db, rows_changed
from tokenboard.core.upsert import insert
from tokenboard.metering import cap_statements as sql
from tokenboard.metering.facts import KeyLimit
from tokenboard.metering.models import CapWindow
from tokenboard.metering.worth import micros_of_cents

log = logging.getLogger(__name__)

Window = tuple[str, str, str]  # kind, subject, month


@dataclass(frozen=True, slots=True)
class Cap:
    """One window and what it may hold. Without `cap_micros` it only counts."""

    kind: str
    subject_id: str
    month: str
    cap_micros: int | None
    used_micros: int  # spent and held

    @property
    def left_micros(self) -> int | None:
        return None if self.cap_micros is None else max(0, self.cap_micros - self.used_micros)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a person may use, here and everywhere; the membership is missing where they are no member."""

    person_id: str
    budget_cents: int | None
    membership_id: str | None
    cap_cents: int | None


def caps_of(*, workspace_id: str, person_id: str | None, month: str, key_limit: KeyLimit | None = None) -> list[Cap]:
    """The windows of a key and its person in a workspace, with their caps, in the order of locking. Reads only."""
    return [_with_use(cap) for cap in subjects(key_limit, _limits(workspace_id, person_id), month)]


def lock(*, workspace_id: str, person_id: str | None, month: str, key_limit: KeyLimit | None = None) -> list[Cap]:
    """The same, locked until the transaction ends; windows that are not there yet are made."""
    return _locked(subjects(key_limit, _limits(workspace_id, person_id), month))


def subjects(key_limit: KeyLimit | None, limits: Limits | None, month: str) -> list[Cap]:
    """The windows of a key and a person, in the order of locking, with nothing used yet."""
    caps = [Cap("key", key_limit.key_id, key_limit.window, key_limit.most_micros, 0)] if key_limit else []
    if limits is None:
        return caps
    if limits.membership_id:
        caps.append(Cap("member", limits.membership_id, month, _micros_or_none(limits.cap_cents), 0))
    caps.append(Cap("person", limits.person_id, month, _micros_or_none(limits.budget_cents), 0))
    return caps


def _limits(workspace_id: str, person_id: str | None) -> Limits | None:
    asked = {"person_id": person_id, "workspace_id": workspace_id}
    row = db.session.execute(sql.OF_PERSON, asked).one_or_none() if person_id else None
    return None if row is None else Limits(*row)


def _micros_or_none(cents: int | None) -> int | None:
    return None if cents is None else micros_of_cents(cents)


def _with_use(cap: Cap) -> Cap:
    row = db.session.execute(select(CapWindow.spent_micros, CapWindow.held_micros).where(*_key(cap))).one_or_none()
    return using(cap, sum(row) if row else 0)


def _locked(caps: Sequence[Cap]) -> list[Cap]:
    if not caps:
        return []
    used = {row[0]: row[1] for row in db.session.execute(sql.LOCK[len(caps)], _numbered(caps))}  # one of each kind
    return [using(cap, used[cap.kind]) for cap in caps]


def using(cap: Cap, used_micros: int) -> Cap:
    """A window with what is used of it."""
    return replace(cap, used_micros=used_micros)


def _key(cap: Cap) -> tuple[ColumnElement[bool], ...]:
    return (CapWindow.kind == cap.kind, CapWindow.subject_id == cap.subject_id, CapWindow.month == cap.month)


def reserve(*, caps: Sequence[Cap], amount_micros: int) -> None:
    """Hold so much in windows that `lock` has locked; the guard says again what was decided."""
    if not (caps and amount_micros):
        return
    most = {f"most{number}": cap.cap_micros for number, cap in enumerate(caps)}
    held = _numbered(caps) | most | {"amount": amount_micros}
    changed = rows_changed(db.session.execute(sql.RESERVE[len(caps)], held))
    assert changed == len(caps), "the windows are locked and have room"


def _numbered(caps: Sequence[Cap]) -> dict[str, object]:
    told: dict[str, object] = {}
    for number, cap in enumerate(caps):
        told |= {f"kind{number}": cap.kind, f"subject{number}": cap.subject_id, f"month{number}": cap.month}
    return told


def settle(*, windows: Sequence[Window], held_micros: int, spent_micros: int) -> None:
    """Turn what a call held in its windows into what it cost."""
    for kind, subject_id, month in windows:
        moved: dict[str, object] = {"of_kind": kind, "of_subject": subject_id, "of_month": month}
        moved |= {"held": held_micros, "spent": spent_micros}
        if rows_changed(db.session.execute(sql.SETTLE, moved)) != 1:
            tell_broken((kind, subject_id, month))


def add_spent(
    *, workspace_id: str, person_id: str | None, month: str, spent_micros: int, key_limit: KeyLimit | None = None
) -> None:
    """Count usage that was reported after the fact, such as a virtual key's; it may exceed the cap."""
    for cap in lock(workspace_id=workspace_id, person_id=person_id, month=month, key_limit=key_limit):
        more = {"spent_micros": CapWindow.spent_micros + spent_micros}
        db.session.execute(update(CapWindow).where(*_key(cap)).values(more))


def add_spent_to(*, windows: Mapping[tuple[str, str, str], int]) -> None:
    """The same for many requests at once: micro-credits by kind, subject and window. Locks in the order of `lock`."""
    for kind, subject_id, window in sorted(windows):
        more = windows[kind, subject_id, window]
        key = {"kind": kind, "subject_id": subject_id, "month": window}
        statement = insert(CapWindow).values(**key, spent_micros=more, held_micros=0)
        added = {"spent_micros": CapWindow.spent_micros + more}
        db.session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=added))


def tell_broken(window: Window) -> None:
    """Must not happen; a cap that counts wrong is no reason to keep a customer's credits held."""
    raise_alert(
        "metering.cap_window",
        subject=":".join(window),
        severity="critical",
        message=f"The window of a {window[0]} does not hold what its call held: flask metering rebuild-rollups.",
    )
