"""What a key has used, in finished texts: the last 30 days by day, model and error, and its last requests.

Sums come from metering's roll-ups and requests from its log, so they agree with every other page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tokenboard.core.clock import days_between, today
from tokenboard.keys import error_words
from tokenboard.keys.error_words import ErrorRow
from tokenboard.keys.models import VirtualKey
from tokenboard.metering import error_queries, usage_queries, usage_trends
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.usage_queries import Item
from tokenboard.metering.usage_rules import By, Filters, Span, Sums
from tokenboard.metering.worth import credit_value_nano
from tokenboard.wallet.credits_page import exact, money
from tokenboard.wallet.rules import value_nano
from tokenboard.web.charts import Chart, Series, fold_series, stacked_bars
from tokenboard.web.filters import credit_amount, day_long, milliseconds, number, tokens
from tokenboard.web.paths import is_page

DAYS = 30
SHOWN_REQUESTS = 20
_USAGE = "/usage"  # the portal's page, above this room: linked where it is built
_SOURCES = {"gateway": "/v1", "key": "LiteLLM", "openwebui": "Open WebUI", "chat": "Chat"}
_STATES = {
    "ok": ("ok", "ok"),
    "stopped": ("stopped", ""),
    "length": ("cut short", "warn"),
    "interrupted": ("broke off", "warn"),
    "failed": ("failed", "bad"),
    "refused": ("refused", "bad"),
}


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day on which the key was used."""

    day: str
    requests: str
    errors: int
    tokens: str
    tokens_exact: str
    credits: str
    exact: str


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request."""

    id: str
    href: str
    at: datetime
    source: str
    model: str
    tokens: str
    first_token: str
    total: str
    credits: str
    exact: str
    state: str
    tone: str
    is_background: bool


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One way in which requests failed, with its badge."""

    row: ErrorRow
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class UsePage:
    """A key's use."""

    requests: str
    errors: str
    tokens: str
    tokens_exact: str
    credits: str
    money: str
    exact: str
    latency: str
    latency_note: str
    chart: Chart | None
    days: Sequence[DayRow]
    failed: Sequence[ErrorLine]
    rows: Sequence[RequestRow]
    older_href: str
    newest_href: str
    usage_href: str

    @property
    def is_empty(self) -> bool:
        return not self.days and not self.rows


def build(key: VirtualKey, href: str, *, cursor: str | None = None) -> UsePage:
    """Four queries. Raises: ValidationFailed for a cursor that is none."""
    span, mine = Span(today() - timedelta(days=DAYS - 1), today()), Filters(key_id=key.id)
    summary = usage_queries.summary(key.workspace_id, span, By.DAY, mine)
    by_model = usage_trends.daily_credits(key.workspace_id, span, By.MODEL, mine)
    log = usage_queries.logs(key.workspace_id, span, mine, limit=SHOWN_REQUESTS, cursor=cursor)
    total = summary.total
    return UsePage(
        requests=number(total.requests),
        errors=number(total.errors) if total.errors else "",
        tokens=tokens(total.tokens),
        tokens_exact=f"{number(total.prompt_tokens)} in, {number(total.completion_tokens)} out",
        credits=credit_amount(total.credits_micros),
        money=money(total.credits_micros),
        exact=exact(total.credits_micros),
        latency=_time(total.latency_ms(50)),
        latency_note=_latency_note(total),
        chart=_chart(span, by_model),
        days=[_day(item) for item in reversed(summary.items) if item.sums.requests],
        failed=[ErrorLine(one, *_STATES[one.status]) for one in _errors(key, span)],
        rows=[_request(record, href) for record in log.records],
        older_href=f"{href}?cursor={log.next_cursor}" if log.next_cursor else "",
        newest_href=href if cursor else "",
        usage_href=f"{_USAGE}?days={DAYS}&key={key.id}" if is_page(_USAGE) else "",
    )


def _errors(key: VirtualKey, span: Span) -> list[ErrorRow]:
    return error_words.rows(error_queries.by_code(key.workspace_id, span, key_id=key.id))


def _time(milliseconds_: int | None) -> str:
    return milliseconds(milliseconds_) if milliseconds_ is not None else ""


def _latency_note(total: Sums) -> str:
    """What 95 of 100 requests stay below, and how soon the first token comes to half of them and to 95."""
    slow, first, late = total.latency_ms(95), total.first_token_ms(50), total.first_token_ms(95)
    parts = [f"95 % within {_time(slow)}" if slow is not None else ""]
    parts.append(f"first token {_time(first)}, 95 % {_time(late)}" if first is not None else "")
    return " · ".join(filter(None, parts))


def _chart(span: Span, by_model: Mapping[str, Mapping[date, int]]) -> Chart | None:
    """Credits as the money they are worth, by day and model."""
    if not any(any(found.values()) for found in by_model.values()):
        return None
    days, value = days_between(span.first, span.last), credit_value_nano()
    series = [
        Series(model, model, [value_nano(found.get(day, 0), value) for day in days])
        for model, found in by_model.items()
    ]
    return stacked_bars(days=days, series=fold_series(series), today=today(), height=220)


def _day(item: Item) -> DayRow:
    sums: Sums = item.sums
    return DayRow(
        day=day_long(date.fromisoformat(item.name)),
        requests=number(sums.requests),
        errors=sums.errors,
        tokens=tokens(sums.tokens),
        tokens_exact=f"{number(sums.prompt_tokens)} in, {number(sums.completion_tokens)} out",
        credits=credit_amount(sums.credits_micros),
        exact=exact(sums.credits_micros),
    )


def _request(record: UsageRecord, href: str) -> RequestRow:
    state, tone = _STATES[record.status]
    cached = f" ({number(record.cached_tokens)} cached)" if record.cached_tokens else ""
    return RequestRow(
        id=record.id,
        href=f"{href}/requests/{record.id}",
        at=record.occurred_at,
        source=_SOURCES.get(record.source, record.source),
        model=record.model,
        tokens=f"{number(record.prompt_tokens)} in{cached} / {number(record.completion_tokens)} out",
        first_token=milliseconds(record.first_token_ms) if record.first_token_ms is not None else "–",
        total=milliseconds(record.latency_ms) if record.latency_ms is not None else "–",
        credits=credit_amount(record.credits_micros),
        exact=exact(record.credits_micros),
        state=state,
        tone=tone,
        is_background=record.is_background,
    )
