"""Mails that a person may do without, and whether they have said so. What an account needs is no choice.

Law: nothing of this kind goes to an address that nobody has confirmed, where mail leaves the house at all.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists, select

from tokenboard.accounts.models import Person, Preference
from tokenboard.audit import service as audit
from tokenboard.core.clock import Month, midnight
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert

_REFUSED = "no"
_MONTH_TOLD = "mail_month_told"  # the newest month this person's summary was written for


class Mail(StrEnum):
    """What may be refused; the value is the preference's name."""

    SUMMARY = "mail_summary"  # the month that is over, in the first days of the next one
    RECEIPTS = "mail_receipts"  # one for every payment

    @property
    def short(self) -> str:
        """What programs call it."""
        return self.value.removeprefix("mail_")

    @classmethod
    def called(cls, short: str) -> Mail:
        """Raises: ValueError."""
        return cls(f"mail_{short}")


def wanted(person: Person) -> set[Mail]:
    """Those that this person gets: all that were not refused."""
    asked = select(Preference.name).where(Preference.person_id == person.id, _is_refusal(*Mail))
    return set(Mail) - {Mail(name) for name in db.session.scalars(asked)}


def choose(person: Person, *, mails: Collection[Mail]) -> None:
    """From now on these and no others. Idempotent."""
    before, after = wanted(person), set(mails)
    for mail in Mail:
        _keep(person.id, mail, "yes" if mail in after else _REFUSED)
    if before != after:
        facts = {"before": sorted(one.short for one in before), "after": sorted(one.short for one in after)}
        audit.record("accounts.mails_chosen", actor=person.id, subject=person.id, facts=facts)


def is_reachable(person: Person) -> bool:
    """Whether mails that are a matter of taste may go to this address."""
    return person.email_verified_at is not None or not settings().smtp_url


def gets(mail: Mail) -> ColumnElement[bool]:
    """A condition on people: they can be written to, and have not refused this."""
    refused = exists().where(Preference.person_id == Person.id, _is_refusal(mail))
    reachable = [Person.is_disabled.is_(False), Person.deleted_at.is_(None)]
    if settings().smtp_url:
        reachable.append(Person.email_verified_at.is_not(None))
    return and_(*reachable, ~refused)


def untold(month: Month, *, after: str, limit: int) -> list[str]:
    """People whose summary of this month has not been written, by id; they were there while it lasted."""
    told = exists().where(
        Preference.person_id == Person.id, Preference.name == _MONTH_TOLD, Preference.value >= str(month)
    )
    was_there = Person.created_at < midnight(month.shift(1).first_day)
    asked = select(Person.id).where(gets(Mail.SUMMARY), was_there, ~told)
    if after:
        asked = asked.where(Person.id > after)
    return list(db.session.scalars(asked.order_by(Person.id).limit(limit)))


def is_told(person: Person, month: Month) -> bool:
    """Whether this month's summary, or a later one, has been written."""
    kept = db.session.get(Preference, (person.id, _MONTH_TOLD), populate_existing=True)
    return kept is not None and kept.value >= str(month)


def mark_told(person: Person, month: Month) -> None:
    """It is written, or there was nothing to say. Never sets a later month back."""
    statement = insert(Preference).values(person_id=person.id, name=_MONTH_TOLD, value=str(month))
    is_later = Preference.value < statement.excluded.value
    update = statement.on_conflict_do_update(
        index_elements=["person_id", "name"], set_={"value": str(month)}, where=is_later
    )
    db.session.execute(update)


def _is_refusal(*mails: Mail) -> ColumnElement[bool]:
    return and_(Preference.name.in_([str(mail) for mail in mails]), Preference.value == _REFUSED)


def _keep(person_id: str, name: str, value: str) -> None:
    kept = insert(Preference).values(person_id=person_id, name=name, value=value)
    db.session.execute(kept.on_conflict_do_update(index_elements=["person_id", "name"], set_={"value": value}))
