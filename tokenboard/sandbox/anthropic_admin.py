"""Anthropic's admin API: cost report, message usage, workspaces and keys.

Laws: amounts are decimal strings in cents; `group_by[]` needs its brackets; 31 days a page at most; the header
`anthropic-version` is needed. Source: platform.claude.com, November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, g, request

from tokenboard.core import clock
from tokenboard.sandbox import anthropic_world
from tokenboard.sandbox.anthropic_world import MessageCell, ReportLine
from tokenboard.sandbox.faults import answer, invalid
from tokenboard.sandbox.memory import sandbox

routes = Blueprint("anthropic_admin", __name__, url_prefix="/anthropic/v1/organizations")

_DAYS_DEFAULT, _DAYS_MAX = 7, 31
_NAMES_MAX = 1_000
_COST_GROUPS = ("workspace_id", "description")
_USAGE_GROUPS = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")
_CONSTANTS = {"service_tier": "standard", "context_window": "0-200k", "inference_geo": "global"}
_CURSOR = "page_"


class AskedWrong(Exception):
    """A parameter the provider would refuse."""


@routes.errorhandler(AskedWrong)
def _asked_wrong(refused: AskedWrong) -> Response:
    return invalid("anthropic", str(refused))


@routes.before_request
def _versioned() -> Response | None:
    if "anthropic-version" not in request.headers:
        return invalid("anthropic", "anthropic-version: header is required")
    return None


@dataclass(frozen=True, slots=True)
class Window:
    first: date
    end: date
    limit: int
    group_by: tuple[str, ...]


@routes.get("/cost_report")
def cost_report() -> Response:
    window = _window(_COST_GROUPS)
    return _page(window, lambda cells: _cost_results(cells, window.group_by))


@routes.get("/usage_report/messages")
def usage_report() -> Response:
    window = _window(_USAGE_GROUPS)
    return _page(window, lambda cells: _usage_results(cells, window.group_by))


def _window(groups: tuple[str, ...]) -> Window:
    if "group_by" in request.args:
        raise AskedWrong("group_by: use group_by[]")
    group_by = tuple(request.args.getlist("group_by[]"))
    if set(group_by) - set(groups):
        raise AskedWrong(f"group_by[]: must be of {', '.join(groups)}")
    if request.args.get("bucket_width", "1d") != "1d":
        raise AskedWrong("bucket_width: the sandbox knows 1d only")
    limit = request.args.get("limit", str(_DAYS_DEFAULT))
    if not limit.isdigit() or not 1 <= int(limit) <= _DAYS_MAX:
        raise AskedWrong(f"limit: must be between 1 and {_DAYS_MAX}")
    tomorrow = sandbox().now().date() + timedelta(days=1)
    first = _day("starting_at", None)
    page = request.args.get("page")
    first = first if page is None else _parsed("page", page.removeprefix(_CURSOR))
    return Window(first, min(_day("ending_at", tomorrow), tomorrow), int(limit), group_by)


def _day(name: str, default: date | None) -> date:
    text = request.args.get(name)
    if text is None:
        if default is None:
            raise AskedWrong(f"{name}: field required")
        return default
    return _parsed(name, text)


def _parsed(name: str, text: str) -> date:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).date()
    except ValueError as fault:
        raise AskedWrong(f"{name}: must be an RFC 3339 time") from fault


def _page(window: Window, results: Callable[[list[MessageCell]], list[dict[str, Any]]]) -> Response:
    origin, now = sandbox().origin(), sandbox().now()
    last = min(window.end, window.first + timedelta(days=window.limit))
    data = []
    for day in clock.days_between(window.first, last - timedelta(days=1)):
        cells = [] if g.traits.world == "empty" else anthropic_world.message_cells(origin, day, now)
        begin, end = clock.midnight(day), clock.midnight(day + timedelta(days=1))
        data.append({"starting_at": clock.iso(begin), "ending_at": clock.iso(end), "results": results(cells)})
    cursor = f"{_CURSOR}{clock.iso(clock.midnight(last))}" if last < window.end else None
    return answer({"data": data, "has_more": cursor is not None, "next_page": cursor})


def _cost_results(cells: Iterable[MessageCell], group_by: tuple[str, ...]) -> list[dict[str, Any]]:
    groups: dict[tuple[object, ...], list[ReportLine]] = {}
    for line in (line for cell in cells for line in anthropic_world.report_lines(cell)):
        by_description = (line.description, line.cost_type, line.token_type, line.model)
        key = (
            line.workspace_id if "workspace_id" in group_by else None,
            *(by_description if "description" in group_by else (None,) * len(by_description)),
        )
        groups.setdefault(key, []).append(line)
    return [_cost_result(key, lines) for key, lines in groups.items()]


def _cost_result(key: tuple[object, ...], lines: list[ReportLine]) -> dict[str, Any]:
    workspace_id, description, cost_type, token_type, model = key
    is_tokens = cost_type == "tokens"
    return {
        "amount": f"{sum((line.amount for line in lines), Decimal(0)):f}",
        "currency": "USD",
        "cost_type": cost_type,
        "token_type": token_type,
        "model": model,
        "description": description,
        "workspace_id": workspace_id,
        **{name: value if is_tokens else None for name, value in _CONSTANTS.items()},
    }


def _usage_results(cells: Iterable[MessageCell], group_by: tuple[str, ...]) -> list[dict[str, Any]]:
    groups: dict[tuple[object, ...], list[MessageCell]] = {}
    for cell in cells:
        groups.setdefault(tuple(_value(cell, name) for name in group_by), []).append(cell)
    return [_usage_result(dict(zip(group_by, key, strict=True)), members) for key, members in groups.items()]


def _value(cell: MessageCell, name: str) -> object:
    return _CONSTANTS[name] if name in _CONSTANTS else getattr(cell, name)


def _usage_result(keys: dict[str, object], cells: list[MessageCell]) -> dict[str, Any]:
    return {
        "uncached_input_tokens": sum(cell.uncached_input_tokens for cell in cells),
        "cache_read_input_tokens": sum(cell.cache_read_input_tokens for cell in cells),
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "output_tokens": sum(cell.output_tokens for cell in cells),
        "server_tool_use": {"web_search_requests": sum(cell.web_search_requests for cell in cells)},
        **dict.fromkeys(_USAGE_GROUPS),
        **keys,
    }


@routes.get("/workspaces")
def workspaces() -> Response:
    begun = clock.iso(clock.midnight(sandbox().origin()))
    rows = [
        {
            "id": one.id,
            "type": "workspace",
            "name": one.name,
            "created_at": begun,
            "archived_at": begun if one.is_archived else None,
            "display_color": "#6C5BB9",
        }
        for one in anthropic_world.WORKSPACES
        if g.traits.world != "empty" and (not one.is_archived or request.args.get("include_archived") == "true")
    ]
    return _listed(rows)


@routes.get("/api_keys")
def api_keys() -> Response:
    asked = request.args.get("workspace_id")
    rows = [
        {
            "id": key.id,
            "type": "api_key",
            "name": key.name,
            "workspace_id": key.workspace_id,
            "created_at": clock.iso(clock.midnight(sandbox().origin())),
            "created_by": {"id": "user_SbxMaya", "type": "user"},
            "partial_key_hint": f"sk-ant-api03-...{key.id[-4:]}",
            "status": "active",
        }
        for key in anthropic_world.KEYS
        if g.traits.world != "empty" and asked in (None, key.workspace_id)
    ]
    return _listed(rows)


def _listed(rows: list[dict[str, Any]]) -> Response:
    limit = request.args.get("limit", "20")
    if not limit.isdigit() or not 1 <= int(limit) <= _NAMES_MAX:
        raise AskedWrong(f"limit: must be between 1 and {_NAMES_MAX}")
    ids = [row["id"] for row in rows]
    after = request.args.get("after_id")
    if after is not None and after not in ids:
        raise AskedWrong("after_id: not found")
    begin = ids.index(after) + 1 if after is not None else 0
    data = rows[begin : begin + int(limit)]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return answer({"data": data, "has_more": begin + len(data) < len(rows), "first_id": first, "last_id": last})
