"""The log of single requests in finished texts: newest first, by keyset, each with its receipt one click away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tokenboard.metering import usage_queries
from tokenboard.metering.usage_models import ERRORS, UsageRecord
from tokenboard.portal.usage_names import Names
from tokenboard.portal.usage_view import PATH, SOURCE_WORDS, STATUS_WORDS, UsageView
from tokenboard.wallet.credits_page import money
from tokenboard.web.filters import credit_amount, credits_exact, milliseconds

LINES = 25


@dataclass(frozen=True, slots=True)
class LogLine:
    """One request. `by` is the key or the person behind it."""

    id: str
    at: datetime
    source: str
    by: str
    model: str
    prompt: int
    cached: int
    completion: int
    first_token: str
    latency: str
    money: str
    credits: str
    status: str
    tone: str
    icon: str
    note: str
    receipt_href: str


@dataclass(frozen=True, slots=True)
class UsageLog:
    """One page of the log with what leads on."""

    lines: tuple[LogLine, ...]
    older_href: str
    newest_href: str
    is_first_page: bool
    is_narrowed: bool


def build(workspace_id: str, view: UsageView, names: Names) -> UsageLog:
    """One query. Raises: ValidationFailed for a cursor that is none."""
    found = usage_queries.logs(workspace_id, view.span, view.logged, limit=LINES, cursor=view.cursor)
    return UsageLog(
        lines=tuple(_line(record, names) for record in found.records),
        older_href=replace(view, cursor=found.next_cursor).href() if found.next_cursor else "",
        newest_href=view.changed().href(),
        is_first_page=view.cursor is None,
        is_narrowed=view.is_filtered or view.status is not None,
    )


def _line(record: UsageRecord, names: Names) -> LogLine:
    tone, icon = _look(record.status)
    return LogLine(
        id=record.id,
        at=record.occurred_at,
        source=SOURCE_WORDS[record.source],
        by=" · ".join(filter(None, [names.key(record.key_id), names.person(record.person_id)])),
        model=record.model,
        prompt=record.prompt_tokens,
        cached=record.cached_tokens,
        completion=record.completion_tokens,
        first_token=_told(record.first_token_ms),
        latency=_told(record.latency_ms),
        money=money(record.credits_micros),
        credits=f"{credits_exact(record.credits_micros)} credits" if record.credits_micros else "nothing was charged",
        status=STATUS_WORDS[record.status],
        tone=tone,
        icon=icon,
        note=_note(record),
        receipt_href=receipt_href(record.id),
    )


def receipt_href(record_id: str) -> str:
    """Where a request's receipt is."""
    return f"{PATH}/requests/{record_id}"


def _look(status: str) -> tuple[str, str]:
    if status in ERRORS:
        return "bad", "circle-alert"
    return ("ok", "check") if status == "ok" else ("", "info")


def _told(value: int | None) -> str:
    return "–" if value is None else milliseconds(value)


def _note(record: UsageRecord) -> str:
    """What else is worth a word: why it failed, that it was counted here, that nobody waited for it."""
    told = (
        record.error_code,
        "counted here" if record.is_estimated else "",
        "in the background" if record.is_background else "",
        f"the house paid {credit_amount(record.absorbed_micros)} credits" if record.absorbed_micros else "",
    )
    return ", ".join(filter(None, told))
