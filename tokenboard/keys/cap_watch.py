"""Caps change in other rooms, and who is kept out: whoever decides that need not know of the mirror.

Law: the mark is written in the flush of the change, so both commit or neither. Changes made by bulk statements are not
seen here; the hourly comparison tells capped persons anew.
"""

from __future__ import annotations

from sqlalchemy import event, select
from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.orm.attributes import get_history

from tokenboard.accounts.models import Person
from tokenboard.keys import targets
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.workspaces.models import Membership


def connect() -> None:
    """Watch every session. Connecting twice is connecting once."""
    if not event.contains(Session, "after_flush", _flushed):
        event.listen(Session, "after_flush", _flushed)


def _flushed(session: Session, _context: UOWTransaction) -> None:
    for row in session.dirty:
        if isinstance(row, Person):
            _mark(session, row)
        elif isinstance(row, Membership) and _has_changed(row, "monthly_cap_cents"):
            mine = (VirtualKey.person_id == row.person_id) & (VirtualKey.workspace_id == row.workspace_id)
            _mark_keys(session, mine)


def _mark(session: Session, person: Person) -> None:
    has_cap_changed = _has_changed(person, "monthly_budget_cents")
    if _has_changed(person, "email"):
        for email in (*get_history(person, "email").deleted, person.email):  # the cap counts under both
            targets.mark_person(email)
    elif has_cap_changed or _has_changed(person, "is_disabled"):
        targets.mark_person(person.email)
    if has_cap_changed:
        _mark_keys(session, VirtualKey.person_id == person.id)


def _has_changed(row: Person | Membership, name: str) -> bool:
    return get_history(row, name).has_changes()


def _mark_keys(session: Session, whose: object) -> None:
    wanted = select(KeySecret.id, VirtualKey.workspace_id).join(VirtualKey, VirtualKey.id == KeySecret.key_id)
    rows = session.execute(wanted.where(whose, KeySecret.revoked_at.is_(None)).order_by(KeySecret.id))  # type: ignore[arg-type]
    for secret_id, workspace_id in rows.all():
        targets.mark("key", secret_id, workspace_id)
