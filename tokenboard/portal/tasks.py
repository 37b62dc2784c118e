"""The portal's queue door: the month's summary, a bell for each person whose turn has come.

What was lost (a bell, a worker) is found again by the next firing: the note at the person says who was told.
"""

from __future__ import annotations

from tokenboard.accounts import mail_choices
from tokenboard.core.clock import Month
from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.portal import month_letter_service

BATCH = 200
BATCHES_MAX = 100  # 20,000 people a firing; the next one goes on


@task("portal.mail_months")
def mail_months() -> None:
    """Ring for everybody whose summary of the last month has not been written."""
    month, after = month_letter_service.last_month(), ""
    for _ in range(BATCHES_MAX):
        found = mail_choices.untold(month, after=after, limit=BATCH)
        for person_id in found:
            mail_month.ring(person_id, str(month))
        db.session.commit()
        if len(found) < BATCH:
            return
        after = found[-1]


@task("portal.mail_month")
def mail_month(person_id: str, month: str) -> None:
    """One person's summary. Idempotent."""
    wanted = Month.parse(month)
    person = month_letter_service.is_due(person_id, wanted)
    if person is not None:
        month_letter_service.tell(person=person, month=wanted)
    db.session.commit()
