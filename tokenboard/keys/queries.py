"""Reads of keys, their secrets and their mirror. Access is decided by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.keys import rules
from tokenboard.keys.models import KeySecret, MirrorTarget, VirtualKey
from tokenboard.keys.rules import SHOWN_CHARACTERS, KeyState, Window
from tokenboard.metering.models import CapWindow
from tokenboard.workspaces.models import Workspace

MOST_NAMING = 100
MOST_NEAR = 5  # a line each on the dashboard


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key as a list shows it: with its newest secret and how the mirror stands."""

    key: VirtualKey
    secret: KeySecret
    target: MirrorTarget | None


@dataclass(frozen=True, slots=True)
class Held:
    """A secret as it comes to a door."""

    secret: KeySecret
    key: VirtualKey
    wallet_id: str
    # Of the person who holds it; a workspace's own key has none.
    email: str
    # The workspace is closed, or its holder may not use this site.
    is_over: bool
    is_demo: bool


def lines(
    workspace_id: str, *, person_id: str | None = None, before: tuple[datetime, str] | None = None, limit: int = 50
) -> list[KeyLine]:
    """A workspace's keys, newest first, those of one person where one is named. Two queries."""
    latest = aliased(KeySecret)
    newest = select(func.max(latest.number)).where(latest.key_id == VirtualKey.id).scalar_subquery()
    wanted = (
        select(VirtualKey, KeySecret)
        .join(KeySecret, and_(KeySecret.key_id == VirtualKey.id, KeySecret.number == newest))
        .where(VirtualKey.workspace_id == workspace_id)
        .order_by(VirtualKey.created_at.desc(), VirtualKey.id.desc())
    )
    if person_id is not None:
        wanted = wanted.where(VirtualKey.person_id == person_id)
    if before is not None:
        wanted = wanted.where(tuple_(VirtualKey.created_at, VirtualKey.id) < before)
    rows = list(db.session.execute(wanted.limit(limit)))
    # A target names its subject as text, an id is kept in the database's own form: they are matched here.
    told = _targets("key", [secret.id for _, secret in rows])
    return [KeyLine(key, secret, told.get(secret.id)) for key, secret in rows]


def _targets(kind: str, subjects: list[str]) -> dict[str, MirrorTarget]:
    wanted = select(MirrorTarget).where(MirrorTarget.kind == kind, MirrorTarget.subject.in_(subjects))
    return {one.subject: one for one in db.session.scalars(wanted)}


def by_id(key_id: str) -> VirtualKey | None:
    return db.session.get(VirtualKey, key_id)


def naming() -> list[KeyLine]:
    """The living keys that may name people, by name: for the site's administrator."""
    may_name = (VirtualKey.can_name_people.is_(True), VirtualKey.state != KeyState.REVOKED)
    return _with_newest(select(VirtualKey.id).where(*may_name))


def known_as(text: str) -> list[KeyLine]:
    """The living keys with this number, or with these first letters as pages show them."""
    wanted = or_none(parse_id, text)
    by_letters = select(KeySecret.key_id).where(KeySecret.display == f"{text.removesuffix('…')[:SHOWN_CHARACTERS]}…")
    asked = select(VirtualKey.id).where(VirtualKey.id == wanted if wanted else VirtualKey.id.in_(by_letters))
    return _with_newest(asked.where(VirtualKey.state != KeyState.REVOKED))


def _with_newest(key_ids: Select[str]) -> list[KeyLine]:
    latest = aliased(KeySecret)
    newest = select(func.max(latest.number)).where(latest.key_id == VirtualKey.id).scalar_subquery()
    wanted = (
        select(VirtualKey, KeySecret)
        .join(KeySecret, and_(KeySecret.key_id == VirtualKey.id, KeySecret.number == newest))
        .where(VirtualKey.id.in_(key_ids))
        .order_by(VirtualKey.name, VirtualKey.id)
        .limit(MOST_NAMING)
    )
    return [KeyLine(key, secret, None) for key, secret in db.session.execute(wanted)]


def locked(key_id: str) -> VirtualKey:
    """The key, ours alone until the transaction ends."""
    wanted = select(VirtualKey).where(VirtualKey.id == key_id).with_for_update()
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()


def by_client_key(workspace_id: str, client_key: str) -> VirtualKey | None:
    wanted = select(VirtualKey).where(VirtualKey.workspace_id == workspace_id, VirtualKey.client_key == client_key)
    return db.session.scalar(wanted)


def living(workspace_id: str) -> int:
    """How many keys a workspace has, revoked ones left out."""
    kept = VirtualKey.state != KeyState.REVOKED
    counted = select(func.count()).select_from(VirtualKey).where(VirtualKey.workspace_id == workspace_id, kept)
    return db.session.execute(counted).scalar_one()


def secrets_of(key_id: str) -> list[KeySecret]:
    """Every secret of a key, oldest first."""
    wanted = select(KeySecret).where(KeySecret.key_id == key_id).order_by(KeySecret.number)
    return list(db.session.scalars(wanted))


def valid_secrets(*, workspace_id: str, at: datetime) -> list[str]:
    """Ids of the secrets of a workspace that LiteLLM may still know."""
    is_there = and_(KeySecret.revoked_at.is_(None), or_(KeySecret.valid_until.is_(None), KeySecret.valid_until > at))
    wanted = select(KeySecret.id).join(VirtualKey, VirtualKey.id == KeySecret.key_id)
    return list(db.session.scalars(wanted.where(VirtualKey.workspace_id == workspace_id, is_there)))


# Built once: it is said for every request at /v1.
_BY_HASH = (
    select(KeySecret, VirtualKey, Workspace.ledger_account_id, Workspace.archived_at, Workspace.is_demo)
    .add_columns(Person.email, Person.is_disabled)
    .join(VirtualKey, VirtualKey.id == KeySecret.key_id)
    .join(Workspace, Workspace.id == VirtualKey.workspace_id)
    .outerjoin(Person, Person.id == VirtualKey.person_id)
    .where(KeySecret.hash == bindparam("asked"))
)


def by_hash(hash_: str) -> Held | None:
    """A secret with its key and who holds it, by what is kept of it. One look-up on a unique index."""
    row = db.session.execute(_BY_HASH, {"asked": hash_}).one_or_none()
    if row is None:
        return None
    secret, key, wallet_id, archived_at, is_demo, email, is_disabled = row
    is_over = archived_at is not None or bool(is_disabled)
    return Held(secret, key, wallet_id, email or "", is_over=is_over, is_demo=is_demo)


def target(kind: str, subject: str) -> MirrorTarget | None:
    wanted = select(MirrorTarget).where(MirrorTarget.kind == kind, MirrorTarget.subject == subject)
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def due_targets(at: datetime, limit: int) -> list[str]:
    """Targets that should be sent now and that nobody is sending, the longest waiting first."""
    is_free = or_(MirrorTarget.lease_until.is_(None), MirrorTarget.lease_until < at)
    due = select(MirrorTarget.id).where(MirrorTarget.state == "due", MirrorTarget.next_attempt_at <= at, is_free)
    return list(db.session.scalars(due.order_by(MirrorTarget.next_attempt_at).limit(limit)))


def near_limit(workspace_id: str, person_id: str | None) -> list[tuple[VirtualKey, int]]:
    """The keys in use that have taken four fifths of their budget or more, with what they have used. One query."""
    at = now()
    windows = [(window, rules.window_name(window, at)) for window in Window]
    used = CapWindow.spent_micros + CapWindow.held_micros
    is_now = or_(*(and_(VirtualKey.budget_window == window, CapWindow.month == name) for window, name in windows))
    wanted = (
        select(VirtualKey, used)
        .join(CapWindow, and_(CapWindow.kind == "key", CapWindow.subject_id == VirtualKey.id))
        .where(VirtualKey.workspace_id == workspace_id, VirtualKey.state == KeyState.ACTIVE, is_now)
        .where(used * 5 >= VirtualKey.max_budget_micros * 4)
        .order_by(VirtualKey.name, VirtualKey.id)
        .limit(MOST_NEAR)
    )
    if person_id is not None:
        wanted = wanted.where(VirtualKey.person_id == person_id)
    return [(key, micros) for key, micros in db.session.execute(wanted)]


def spent_now(keys: Sequence[VirtualKey]) -> dict[str, int]:
    """What each key has used in its current budget window, in micro-credits, holds included. One query."""
    at = now()
    windows = {key.id: rules.window_name(Window(key.budget_window), at) for key in keys}
    wanted = select(CapWindow.subject_id, CapWindow.month, CapWindow.spent_micros + CapWindow.held_micros).where(
        CapWindow.kind == "key", CapWindow.subject_id.in_(list(windows)), CapWindow.month.in_(set(windows.values()))
    )
    return {key_id: used for key_id, window, used in db.session.execute(wanted) if windows[key_id] == window}
