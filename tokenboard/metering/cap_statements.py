"""What is said to `cap_window` for every call, built once: SQLAlchemy compiles a text by itself and then remembers it.

Built anew for each call these statements took a fifth of the time to begin it (2026-11-28). Up to three windows are
taken in one statement, in the order of locking: both databases take an INSERT's rows in the order they stand in.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, BindParameter, Table, TextClause, Uuid, bindparam, select, text, update

from tokenboard.accounts.models import Person
from tokenboard.metering.models import CapWindow
from tokenboard.workspaces.models import Membership

MOST_WINDOWS = 3  # a key, a member, a person
_WINDOW = CapWindow.__table__
assert isinstance(_WINDOW, Table)


def _lock(count: int) -> TextClause:
    rows = ", ".join(f"(:kind{n}, :subject{n}, :month{n}, 0, 0)" for n in range(count))
    said = f"""INSERT INTO cap_window (kind, subject_id, month, spent_micros, held_micros) VALUES {rows}
        ON CONFLICT (kind, subject_id, month) DO UPDATE SET held_micros = cap_window.held_micros
        RETURNING kind, spent_micros + held_micros"""  # noqa: S608 - nothing but numbers of parameters
    return text(said).bindparams(*_subjects(count))


def _reserve(count: int) -> TextClause:
    each = (
        f"(kind = :kind{n} AND subject_id = :subject{n} AND month = :month{n}"
        f" AND (:most{n} IS NULL OR spent_micros + held_micros + :amount <= :most{n}))"
        for n in range(count)
    )
    said = f"UPDATE cap_window SET held_micros = held_micros + :amount WHERE {' OR '.join(each)}"  # noqa: S608
    numbers: list[BindParameter[Any]] = [bindparam("amount", type_=BigInteger)]
    numbers += [bindparam(f"most{n}", type_=BigInteger) for n in range(count)]
    return text(said).bindparams(*_subjects(count), *numbers)


def _subjects(count: int) -> list[BindParameter[str]]:
    return [bindparam(f"subject{n}", type_=Uuid(as_uuid=False)) for n in range(count)]


# By how many windows; locking changes nothing, reserving says again what was decided.
LOCK = {count: _lock(count) for count in range(1, MOST_WINDOWS + 1)}
RESERVE = {count: _reserve(count) for count in range(1, MOST_WINDOWS + 1)}
SETTLE = (
    update(_WINDOW)
    .where(_WINDOW.c.kind == bindparam("of_kind"), _WINDOW.c.subject_id == bindparam("of_subject"))
    .where(_WINDOW.c.month == bindparam("of_month"), _WINDOW.c.held_micros >= bindparam("held"))
    .values(
        held_micros=_WINDOW.c.held_micros - bindparam("held"), spent_micros=_WINDOW.c.spent_micros + bindparam("spent")
    )
)
OF_PERSON = (
    select(Person.id, Person.monthly_budget_cents, Membership.id, Membership.monthly_cap_cents)
    .outerjoin(Membership, (Membership.person_id == Person.id) & (Membership.workspace_id == bindparam("workspace_id")))
    .where(Person.id == bindparam("person_id"))
)
