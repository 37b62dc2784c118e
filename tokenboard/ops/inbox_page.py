"""The inbox of webhooks in finished texts: the list by filter, its counts, one event with what came in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from tokenboard.audit.alerts import open_alerts
from tokenboard.audit.models import Alert
from tokenboard.billing import inbox_queries, payment_queries
from tokenboard.billing.inbox_models import EventState, InboxEvent
from tokenboard.billing.inbox_queries import InboxFilter
from tokenboard.billing.inbox_service import FORGED_KIND, MOST_REPLAYS
from tokenboard.billing.paystack_service import EVENT_TYPES as PAYSTACK_TYPES
from tokenboard.billing.stripe_service import EVENT_TYPES as STRIPE_TYPES
from tokenboard.core.clock import now
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.core.parsing import clean_text, or_none, parse_json
from tokenboard.core.redaction import redact, redact_value
from tokenboard.ops.inbox_words import STATE_WORDS
from tokenboard.ops.payments_page import PROVIDER_WORDS, Choice
from tokenboard.web.filters import number, plural

PATH = "/admin/webhooks"
LINES = 30
MOST_SHOWN = 64 * 1024  # characters of a body
_WAITING = (EventState.NEW, EventState.RETRY)


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of the list."""

    href: str
    at: datetime
    type: str
    provider: str
    state: str
    tone: str
    icon: str
    note: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class EventDetail:
    """One event, whole. `polls` while it is about to be handled."""

    id: str
    href: str
    replay_href: str
    type: str
    provider: str
    state: str
    tone: str
    icon: str
    note: str
    error: str
    facts: tuple[tuple[str, str], ...]
    received_at: datetime
    created_at: datetime
    done_at: datetime | None
    next_at: datetime | None
    headers: tuple[tuple[str, str], ...]
    body: str
    body_note: str
    payment_href: str
    grants: tuple[tuple[str, str], ...]
    polls: bool


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Everything on the page."""

    wanted: InboxFilter
    lines: tuple[EventLine, ...]
    states: tuple[Choice, ...]
    providers: tuple[tuple[str, str], ...]
    types: tuple[tuple[str, str], ...]
    older_href: str
    newest_href: str
    clear_href: str
    back_href: str
    dead_query: str
    refused: list[Alert]
    dead: int
    dead_words: str
    is_filtered: bool
    detail: EventDetail | None


def read_filter(given: Mapping[str, str]) -> InboxFilter:
    """What the address says; a word that does not exist filters nothing."""
    state, provider = given.get("state", ""), given.get("provider", "")
    return InboxFilter(
        state=state if state in set(EventState) else "",
        provider=provider if provider in PROVIDER_WORDS else "",
        type=_line(given.get("type", ""), 80),
        named=_line(given.get("q", ""), 255),
    )


def _line(text: str, longest: int) -> str:
    return or_none(lambda typed: clean_text(typed, longest=longest), text) or ""


def build(wanted: InboxFilter, *, cursor: str, shown: InboxEvent | None) -> InboxPage:
    """Three reads, and two for an event that is looked at."""
    rows = inbox_queries.page(wanted, limit=LINES + 1, before=cursor or None)
    counts = inbox_queries.counts(wanted)
    dead = min(counts.get(EventState.DEAD, 0), MOST_REPLAYS)
    more = len(rows) > LINES
    return InboxPage(
        wanted=wanted,
        lines=tuple(_event_line(row, wanted, cursor, shown) for row in rows[:LINES]),
        states=_states(wanted, counts),
        providers=(("", "Any provider"), *PROVIDER_WORDS.items()),
        types=_types(wanted.type),
        older_href=href(wanted, cursor=rows[LINES - 1].id) if more else "",
        newest_href=href(wanted) if cursor else "",
        clear_href=PATH,
        back_href=href(wanted, cursor=cursor),
        dead_query=href(wanted, path="", state=""),
        refused=[one for one in open_alerts() if one.kind == FORGED_KIND],
        dead=dead,
        dead_words=f"Replay {plural(dead, 'dead event')}",
        is_filtered=wanted != InboxFilter(),
        detail=_detail(shown, wanted, cursor) if shown else None,
    )


def href(wanted: InboxFilter, *, path: str = PATH, cursor: str = "", state: str | None = None) -> str:
    """The address of a filter."""
    chosen = {
        "q": wanted.named,
        "state": wanted.state if state is None else state,
        "provider": wanted.provider,
        "type": wanted.type,
        "cursor": cursor,
    }
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{path}?{query}" if query else path


def _states(wanted: InboxFilter, counts: dict[str, int]) -> tuple[Choice, ...]:
    everything = Choice(f"All {number(sum(counts.values()))}", href(wanted, state=""), not wanted.state)
    return (
        everything,
        *(
            Choice(
                f"{words.label.capitalize()} {number(counts.get(state, 0))}",
                href(wanted, state=state),
                wanted.state == state,
            )
            for state, words in STATE_WORDS.items()
        ),
    )


def _types(chosen: str) -> tuple[tuple[str, str], ...]:
    """Every kind we act on; and the one of the address, where it is another."""
    known = sorted({*STRIPE_TYPES, *PAYSTACK_TYPES} | ({chosen} if chosen else set()))
    return (("", "Any type"), *((one, one) for one in known))


def _event_line(row: InboxEvent, wanted: InboxFilter, cursor: str, shown: InboxEvent | None) -> EventLine:
    words = STATE_WORDS[row.state]
    return EventLine(
        href=href(wanted, path=f"{PATH}/{row.id}", cursor=cursor),
        at=row.received_at,
        type=row.type,
        provider=PROVIDER_WORDS[row.provider],
        state=words.label,
        tone=words.tone,
        icon=words.icon,
        note=row.last_error or row.note,
        is_current=shown is not None and shown.id == row.id,
    )


def _detail(row: InboxEvent, wanted: InboxFilter, cursor: str) -> EventDetail:
    words = STATE_WORDS[row.state]
    body, body_note = shown_body(row.body)
    own = f"{PATH}/{row.id}"
    payment = f"/admin/payments/{row.payment_id}" if row.payment_id else ""
    is_waiting = row.state in _WAITING
    return EventDetail(
        id=row.id,
        href=href(wanted, path=own, cursor=cursor),
        replay_href=href(wanted, path=f"{own}/replay", cursor=cursor),
        type=row.type,
        provider=PROVIDER_WORDS[row.provider],
        state=words.label,
        tone=words.tone,
        icon=words.icon,
        note=row.note,
        error=row.last_error,
        facts=_facts(row),
        received_at=row.received_at,
        created_at=row.created_at,
        done_at=row.done_at,
        next_at=row.next_attempt_at if is_waiting else None,
        headers=tuple(sorted(row.headers.items())),
        body=body,
        body_note=body_note,
        payment_href=payment,
        grants=_grants(row.payment_id, payment),
        polls=is_waiting and row.next_attempt_at <= now(),
    )


def _facts(row: InboxEvent) -> tuple[tuple[str, str], ...]:
    told = (
        ("Event", row.event_id),
        ("About", row.object_id),
        ("Mode", "live" if row.is_live else "test"),
        ("Attempts that failed", number(row.attempts)),
    )
    return tuple((label, text) for label, text in told if text)


def _grants(payment_id: str | None, payment_href: str) -> tuple[tuple[str, str], ...]:
    """Credits its payment brought, and where their ledger entry is shown."""
    found = payment_queries.grants_of(payment_id) if payment_id else ()
    return tuple(
        (
            f"{number(one.credits_micros // MICROS_PER_CREDIT)} credits",
            f"{payment_href}#t-{one.transaction_id}",
        )
        for one in found
    )


def shown_body(body: bytes) -> tuple[str, str]:
    """What came in, as JSON with line breaks, keys hidden and addresses masked; and what is not shown of it."""
    try:
        text = json.dumps(redact_value("body", parse_json(body)), indent=2, ensure_ascii=False)
        note = ""
    except ValueError as error:
        text, note = redact(body.decode("utf-8", "replace")), f"It is shown as it came. {error}"
    if len(text) > MOST_SHOWN:
        text, note = text[:MOST_SHOWN], f"The first {number(MOST_SHOWN)} of {number(len(text))} characters."
    return text, note
