"""The list of people in finished texts: the filter that its address says, what it leaves, and its CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from tokenboard.core.clock import iso
from tokenboard.core.money import credits_from_micros
from tokenboard.core.parsing import clean_text, or_none, parse_id
from tokenboard.metering.worth import cents_of_micros
from tokenboard.ops import people_queries
from tokenboard.ops.caps_rules import CAP, EMAIL
from tokenboard.ops.payments_page import Choice
from tokenboard.ops.people_queries import STANDINGS, PeopleFilter, PersonRow
from tokenboard.web.filters import credit_amount, money

PATH = "/admin/users"
CSV_PATH = "/admin/users/list.csv"
LINES, CSV_LINES, MOST_CSV_LINES = 30, 500, 50_000
LONGEST_TEXT = 260
STANDING_WORDS = {"": "Everybody", "administrators": "Administrators", "disabled": "Disabled", "capped": "With a cap"}
_CSV_HEAD = (
    *(EMAIL.capitalize(), "Name", "Monthly cap (USD)", "Used this month (USD)", "Credits", "Administrator"),
    *("Disabled", "Confirmed", "Joined", "Last seen", "Id"),
)
assert _CSV_HEAD[2].casefold() == CAP, "what this page writes, the caps page reads"


@dataclass(frozen=True, slots=True)
class CapBar:
    """What is used of a cap: whole cents for the bar, words for people."""

    used: int
    most: int
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of the list."""

    href: str
    name: str
    email: str
    credits: str
    used: str
    cap: str
    bar: CapBar | None
    is_admin: bool
    is_disabled: bool
    joined_at: datetime
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Everything on the page."""

    wanted: PeopleFilter
    lines: tuple[PersonLine, ...]
    standings: tuple[Choice, ...]
    older_href: str
    newest_href: str
    csv_href: str
    is_filtered: bool


def read_filter(given: Mapping[str, str]) -> PeopleFilter:
    """What the address says; a word that does not exist filters nothing."""
    standing = given.get("standing", "")
    text = or_none(lambda typed: clean_text(typed, longest=LONGEST_TEXT), given.get("q", "")) or ""
    return PeopleFilter(text, standing if standing in STANDINGS else "")


def build(wanted: PeopleFilter, *, cursor: str) -> PeoplePage:
    """A fixed number of reads."""
    rows = people_queries.page(wanted, limit=LINES + 1, before=_before(cursor))
    shown = rows[:LINES]
    older = href(wanted, cursor=shown[-1].person.id) if len(rows) > LINES else ""
    return PeoplePage(
        wanted=wanted,
        lines=tuple(line_of(row) for row in shown),
        standings=tuple(
            Choice(words, href(PeopleFilter(wanted.text, one)), wanted.standing == one)
            for one, words in STANDING_WORDS.items()
        ),
        older_href=older,
        newest_href=href(wanted) if cursor else "",
        csv_href=href(wanted, path=CSV_PATH),
        is_filtered=wanted != PeopleFilter(),
    )


def _before(cursor: str) -> tuple[datetime, str] | None:
    known = or_none(parse_id, cursor)
    last = people_queries.person(known) if known else None
    return (last.created_at, last.id) if last else None


def href(wanted: PeopleFilter, *, path: str = PATH, cursor: str = "") -> str:
    """The address of a filter."""
    chosen = {"q": wanted.text, "standing": wanted.standing, "cursor": cursor}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{path}?{query}" if query else path


def line_of(row: PersonRow) -> PersonLine:
    """A person in words."""
    person, used = row.person, cents_of_micros(row.spent_micros)
    return PersonLine(
        href=f"{PATH}/{person.id}",
        name=person.name,
        email=person.email,
        credits=credit_amount(row.balance_micros),
        used=dollars(used),
        cap=dollars(person.monthly_budget_cents),
        bar=_bar(used, person.monthly_budget_cents),
        is_admin=person.is_admin,
        is_disabled=person.is_disabled,
        joined_at=person.created_at,
        seen_at=row.last_seen_at,
    )


def dollars(cents: int | None) -> str:
    """A cap, or what was used of it; nothing for no cap."""
    return "" if cents is None else money(cents, "usd")


def _bar(used: int, cap: int | None) -> CapBar | None:
    if not cap:
        return None
    tone = "bad" if used >= cap else "warn" if used * 10 >= cap * 8 else ""
    return CapBar(min(used, cap), cap, f"{dollars(used)} of {dollars(cap)} this month", tone)


def csv_rows(wanted: PeopleFilter) -> Iterator[list[str | Decimal]]:
    """The same filter, page after page, newest first. The caps page reads it back."""
    yield list(_CSV_HEAD)
    before: tuple[datetime, str] | None = None
    for _ in range(MOST_CSV_LINES // CSV_LINES):
        rows = people_queries.page(wanted, limit=CSV_LINES, before=before)
        yield from (_csv_row(row) for row in rows)
        if len(rows) < CSV_LINES:
            return
        before = (rows[-1].person.created_at, rows[-1].person.id)


def _csv_row(row: PersonRow) -> list[str | Decimal]:
    person = row.person
    cap = "none" if person.monthly_budget_cents is None else _major(person.monthly_budget_cents)
    marks = ["yes" if one else "" for one in (person.is_admin, person.is_disabled, person.email_verified_at)]
    seen = iso(row.last_seen_at) if row.last_seen_at else ""
    used, held = _major(cents_of_micros(row.spent_micros)), credits_from_micros(row.balance_micros)
    return [person.email, person.name, cap, used, held, *marks, iso(person.created_at), seen, person.id]


def _major(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
