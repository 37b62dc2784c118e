"""The monthly summary by mail: once for each person and month, or once more for whoever asks for it.

Laws: the letter and the note that it is written are one transaction, so that a worker that dies tells nobody twice and
forgets nobody; the note outlives the letter, which the outbox forgets after 30 days.
"""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.accounts import mail_choices
from tokenboard.accounts.mail_choices import Mail
from tokenboard.accounts.models import Person
from tokenboard.core.clock import Month, this_month
from tokenboard.core.db import db
from tokenboard.notices.letters import send_letter
from tokenboard.portal import month_letter
from tokenboard.web.filters import month_name

KIND = "portal.month"


def last_month() -> Month:
    """The newest month that is over."""
    return this_month().shift(-1)


def tell(*, person: Person, month: Month) -> bool:
    """Write a person's summary unless it was written; whether a letter goes out. Idempotent."""
    if mail_choices.is_told(person, month):
        return False
    is_written = _write(person, month, key=f"month:{month}:{person.id}")
    mail_choices.mark_told(person, month)
    return is_written


def tell_again(*, person: Person, form_key: str) -> bool:
    """The same letter for whoever wants to see it now; whether there was something to say. Once for each form."""
    return _write(person, last_month(), key=f"month-again:{person.id}:{form_key}")


def _write(person: Person, month: Month, *, key: str) -> bool:
    found = month_letter.of_person(person, month)
    if not found:
        return False
    named = month_name(month)
    send_letter(
        "month",
        kind=KIND,
        address=person.email,
        subject=f"{named}: what AI cost you" if any(one.bill for one in found) else f"{named}: your credits",
        idempotency_key=key,
        path=f"/dashboard?month={month}",
        facts={"name": person.name, "month": named, "workspaces": found},
    )
    return True


def is_due(person_id: str, month: Month) -> Person | None:
    """The person, if they still want to be told and were not."""
    reachable = select(Person).where(Person.id == person_id, mail_choices.gets(Mail.SUMMARY))
    person = db.session.scalar(reachable)
    return person if person is not None and not mail_choices.is_told(person, month) else None
