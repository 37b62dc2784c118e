"""Viewing the site as somebody else sees it: an administrator's session, read-only, for half an hour at most.

Laws: an administrator is never viewed as; nothing is written meanwhile and what is theirs alone stays closed
(guards.py); beginning and ending stand in the audit log, with the reason; it ends by itself, by signing out, and at
once when either of the two stops being who they were (sessions.py reads both with every request).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select, update

from tokenboard.accounts.errors import NotToBeViewed
from tokenboard.accounts.models import Person, SignIn
from tokenboard.audit import service as audit
from tokenboard.core.clock import iso, now
from tokenboard.core.db import db

LASTS = timedelta(minutes=30)
SWEPT_AT_ONCE = 500


def begin(*, sign_in: SignIn, admin: Person, person: Person, reason: str) -> None:
    """This session views as `person` from now on. Raises: NotToBeViewed."""
    if person.is_admin or person.deleted_at is not None:
        raise NotToBeViewed
    until = now() + LASTS
    live = (SignIn.id == sign_in.id, SignIn.ended_at.is_(None))
    db.session.execute(update(SignIn).where(*live).values(views_person_id=person.id, views_until=until))
    facts = {"reason": reason, "until": iso(until)}
    audit.record("accounts.view_began", actor=admin.id, subject=person.id, facts=facts)


def end(*, sign_in_id: str, how: str = "by hand") -> str | None:
    """It is over; answers whom the session viewed as, None when as nobody. Idempotent.

    `how` is told in the audit log.
    """
    found = db.session.execute(
        select(SignIn.person_id, SignIn.views_person_id)
        .where(SignIn.id == sign_in_id, SignIn.views_person_id.is_not(None))
        .with_for_update()
    ).one_or_none()
    if found is None:
        return None
    nothing = {"views_person_id": None, "views_until": None}
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(**nothing))
    viewed: str = found.views_person_id
    audit.record("accounts.view_ended", actor=found.person_id, subject=viewed, facts={"how": how})
    return viewed


def end_overdue() -> int:
    """Write down the end of those whose time is over, or whose session has ended. Idempotent."""
    is_over = or_(SignIn.views_until <= now(), SignIn.ended_at.is_not(None))
    over = select(SignIn.id).where(SignIn.views_until.is_not(None), is_over).order_by(SignIn.id).limit(SWEPT_AT_ONCE)
    return sum(end(sign_in_id=one, how="its time was over") is not None for one in db.session.scalars(over).all())
