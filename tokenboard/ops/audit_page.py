"""The audit log in finished texts: the filter that its address says, what it leaves, and its CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlencode

from tokenboard.accounts.models import Person
from tokenboard.accounts.queries import people_by_id, person_by_any_email
from tokenboard.audit import entry_queries
from tokenboard.audit.entry_queries import EntryFilter
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import iso
from tokenboard.core.parsing import clean_text, or_none, parse_day, parse_id
from tokenboard.ops import audit_words
from tokenboard.ops.audit_words import ActLine

PATH, CSV_PATH = "/admin/audit", "/admin/audit/list.csv"
LINES, CSV_LINES, MOST_CSV_LINES = 40, 500, 50_000
LONGEST_TEXT = 260
NOBODY = "nobody-is-called-this"
_CSV_HEAD = (*("Time (UTC)", "Who", "Who (id)", "What", "On what", "Workspace", "Facts", "From", "Request", "Id"),)


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """What the address says, as it was typed and as it is asked."""

    who: str
    act: str
    workspace: str
    first: str
    last: str
    asked: EntryFilter


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Everything on the page."""

    question: AuditQuestion
    lines: tuple[ActLine, ...]
    acts: tuple[tuple[str, str], ...]
    older_href: str
    newest_href: str
    csv_href: str
    is_filtered: bool


def read_question(given: Mapping[str, str]) -> AuditQuestion:
    """A word that cannot be read filters nothing; an e-mail of nobody finds nothing."""
    who = or_none(lambda text: clean_text(text, longest=LONGEST_TEXT), given.get("who", "")) or ""
    act = or_none(lambda text: clean_text(text, longest=60), given.get("act", "")) or ""
    workspace = or_none(parse_id, given.get("workspace", "")) or ""
    first, last = (or_none(parse_day, given.get(name, "")) for name in ("from", "to"))
    asked = EntryFilter(act, _whom(who), workspace, first, last)
    return AuditQuestion(who, act, workspace, _day(first), _day(last), asked)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _whom(text: str) -> tuple[str, ...]:
    """An e-mail stands for its person; anything else is an id or a word, such as `cron`."""
    if not text:
        return ()
    if "@" not in text:
        return (or_none(parse_id, text) or text[:60],)
    found: Person | None = person_by_any_email(text.strip().casefold())
    return (found.id,) if found else (NOBODY,)


def build(question: AuditQuestion, *, cursor: str) -> AuditPage:
    """Three reads, one for the cursor, one for an e-mail."""
    last = entry_queries.one(cursor) if cursor else None
    before = (last.created_at, last.id) if last else None
    found = entry_queries.page(question.asked, limit=LINES + 1, before=before)
    shown = found[:LINES]
    names = _names(shown)
    acts = entry_queries.acts()
    rooms = sorted({act.partition(".")[0] for act in acts})
    choices = (("", "Any act"), *((room, f"All of {room}") for room in rooms), *((act, act) for act in acts))
    return AuditPage(
        question=question,
        lines=tuple(audit_words.line(entry, names) for entry in shown),
        acts=choices,
        older_href=href(question, cursor=shown[-1].id) if len(found) > LINES else "",
        newest_href=href(question) if cursor else "",
        csv_href=href(question, path=CSV_PATH),
        is_filtered=question.asked != EntryFilter(),
    )


def _names(entries: list[AuditEntry]) -> dict[str, str]:
    ids = {entry.actor for entry in entries} | {entry.subject for entry in entries}
    return {person_id: person.name for person_id, person in people_by_id(ids).items()}


def href(question: AuditQuestion, *, path: str = PATH, cursor: str = "") -> str:
    """The address of a filter."""
    chosen = {
        "who": question.who,
        "act": question.act,
        "workspace": question.workspace,
        "from": question.first,
        "to": question.last,
        "cursor": cursor,
    }
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{path}?{query}" if query else path


def csv_rows(question: AuditQuestion) -> Iterator[list[str | Decimal]]:
    """The same filter, page after page, newest first."""
    yield list(_CSV_HEAD)
    before: tuple[datetime, str] | None = None
    for _ in range(MOST_CSV_LINES // CSV_LINES):
        found = entry_queries.page(question.asked, limit=CSV_LINES, before=before)
        names = _names(found)
        yield from (_csv_row(entry, names) for entry in found)
        if len(found) < CSV_LINES:
            return
        before = (found[-1].created_at, found[-1].id)


def _csv_row(entry: AuditEntry, names: Mapping[str, str]) -> list[str | Decimal]:
    facts = json.dumps(entry.facts, ensure_ascii=False) if entry.facts else ""
    who = names.get(entry.actor, entry.actor)
    about = [entry.act, entry.subject, entry.workspace_id or "", facts, entry.ip_address, entry.request_id, entry.id]
    return [iso(entry.created_at), who, entry.actor, *about]
