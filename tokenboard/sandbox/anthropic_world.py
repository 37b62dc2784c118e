"""The organization behind the sandbox's Anthropic: workspaces, keys, use and prices. Pure; exact decimals, in cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from tokenboard.core import clock
from tokenboard.sandbox.workload import MINUTES_PER_DAY, Workload, requests_on, share

_MILLION = 1_000_000
# US cents per million tokens: uncached input, cache read, output.
_PRICES = {
    "claude-opus-4-5-20251101": (Decimal(500), Decimal(50), Decimal(2_500)),
    "claude-sonnet-4-5-20250929": (Decimal(300), Decimal(30), Decimal(1_500)),
    "claude-haiku-4-5-20251001": (Decimal(100), Decimal(10), Decimal(500)),
}
_SEARCH_CENTS = Decimal(1)
_NAMES = {
    "claude-opus-4-5-20251101": "Claude Opus 4.5",
    "claude-sonnet-4-5-20250929": "Claude Sonnet 4.5",
    "claude-haiku-4-5-20251001": "Claude Haiku 4.5",
}


@dataclass(frozen=True, slots=True)
class Workspace:
    id: str
    name: str
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class AnthropicKey:
    id: str
    name: str
    workspace_id: str | None


WORKSPACES = (
    Workspace("wrkspc_SbxResearch", "Research"),
    Workspace("wrkspc_SbxCoding", "Coding agents"),
    Workspace("wrkspc_SbxTrial", "Spring trial", is_archived=True),
)
KEYS = (
    AnthropicKey("apikey_SbxDefault", "internal-tools", None),
    AnthropicKey("apikey_SbxResearch", "research-notebooks", "wrkspc_SbxResearch"),
    AnthropicKey("apikey_SbxCoding", "ci-agents", "wrkspc_SbxCoding"),
    AnthropicKey("apikey_SbxTrial", "trial", "wrkspc_SbxTrial"),
)
_DEFAULT, _RESEARCH, _CODING, _TRIAL = KEYS


def _work(key: AnthropicKey, model: str, requests: int, tokens: tuple[int, int, int], searches: int = 0) -> Workload:
    return Workload(
        "messages",
        key.workspace_id or "",
        model,
        key.id,
        "",
        requests,
        *tokens,
        quantity_per_request=searches,
        last_day=120 if key is _TRIAL else None,
    )


WORKLOADS = (
    _work(_DEFAULT, "claude-haiku-4-5-20251001", 3_800, (1_100, 30, 160)),
    _work(_RESEARCH, "claude-opus-4-5-20251101", 160, (9_500, 45, 2_100), searches=2),
    _work(_RESEARCH, "claude-sonnet-4-5-20250929", 700, (4_200, 40, 900)),
    _work(_CODING, "claude-sonnet-4-5-20250929", 2_600, (14_000, 80, 650)),
    _work(_CODING, "claude-haiku-4-5-20251001", 1_900, (3_000, 60, 240)),
    _work(_TRIAL, "claude-sonnet-4-5-20250929", 240, (2_000, 0, 500)),
)


@dataclass(frozen=True, slots=True)
class MessageCell:
    """What one workload did on a day so far. Input is counted without what the cache gave."""

    workspace_id: str | None
    api_key_id: str
    model: str
    uncached_input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int
    web_search_requests: int


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of the cost report before grouping; `amount` in cents."""

    workspace_id: str | None
    description: str
    cost_type: str
    token_type: str | None
    model: str | None
    amount: Decimal


@lru_cache(maxsize=1_024)
def _whole_day(origin: date, day: date) -> tuple[tuple[Workload, int], ...]:
    return tuple((work, requests) for work in WORKLOADS if (requests := requests_on(work, origin, day)))


def message_cells(origin: date, day: date, now: datetime) -> list[MessageCell]:
    """A day's use as far as it has happened."""
    minute = min(int((now - clock.midnight(day)).total_seconds() // 3_600) * 60, MINUTES_PER_DAY)
    return [_cell(work, share(requests, 0, minute)) for work, requests in _whole_day(origin, day) if minute > 0]


def _cell(work: Workload, requests: int) -> MessageCell:
    total = requests * work.input_per_request
    cached = total * work.cached_percent // 100
    return MessageCell(
        work.project_id or None,
        work.api_key_id,
        work.model or "",
        total - cached,
        cached,
        requests * work.output_per_request,
        requests * work.quantity_per_request,
    )


def report_lines(cell: MessageCell) -> list[ReportLine]:
    """What Anthropic charges for one cell."""
    prices = _PRICES[cell.model]
    name = _NAMES[cell.model]
    counts = (
        ("uncached_input_tokens", "Input Tokens", cell.uncached_input_tokens),
        ("cache_read_input_tokens", "Input Tokens, Cache Read", cell.cache_read_input_tokens),
        ("output_tokens", "Output Tokens", cell.output_tokens),
    )
    lines = [
        ReportLine(cell.workspace_id, f"{name} Usage - {words}", "tokens", kind, cell.model, tokens * price / _MILLION)
        for (kind, words, tokens), price in zip(counts, prices, strict=True)
        if tokens
    ]
    if cell.web_search_requests:
        amount = cell.web_search_requests * _SEARCH_CENTS
        lines.append(ReportLine(cell.workspace_id, "Web Search Usage", "web_search", None, None, amount))
    return lines
