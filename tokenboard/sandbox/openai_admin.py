"""OpenAI's admin API: costs, usage, projects, keys, people and the credit balance.

Laws: group keys are null unless asked for; limits are the spec's; costs snap an unaligned start to midnight while
usage clips its first bucket (both seen on live data, 2025); nothing from the future is told. Spec:
openai-openapi@f85dbe2.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, g, request

from tokenboard.core import clock
from tokenboard.sandbox import openai_bill, openai_usage
from tokenboard.sandbox.faults import answer, error, invalid
from tokenboard.sandbox.keys import Traits
from tokenboard.sandbox.memory import many, sandbox
from tokenboard.sandbox.openai_usage import ENDPOINTS
from tokenboard.sandbox.openai_world import Cell, day_cells, slice_of
from tokenboard.sandbox.store import Revision

routes = Blueprint("openai_admin", __name__, url_prefix="/openai/v1")

DAY_SECONDS = 86_400
_WIDTHS = {"1d": (DAY_SECONDS, 7, 31), "1h": (3_600, 24, 168), "1m": (60, 60, 1_440)}  # seconds, default, most
_COST_LIMITS = (7, 180)
_COST_GROUPS = ("project_id", "line_item", "api_key_id")


class AskedWrong(Exception):
    """A parameter the provider would refuse."""


@routes.errorhandler(AskedWrong)
def _asked_wrong(refused: AskedWrong) -> Response:
    return invalid("openai", str(refused))


@dataclass(frozen=True, slots=True)
class Window:
    """Which buckets are asked for."""

    start: int
    end: int
    width: int
    limit: int
    group_by: tuple[str, ...]


def _traits() -> Traits:
    found: Traits = g.traits
    return found


@routes.get("/organization/costs")
def costs() -> Response:
    window = _window("costs", {"1d": (DAY_SECONDS, *_COST_LIMITS)}, _COST_GROUPS)
    start = window.start // DAY_SECONDS * DAY_SECONDS
    now, revisions = sandbox().now(), [*sandbox().store.revisions(), *_drift()]

    def bucket(start: int, end: int) -> dict[str, Any]:
        return _bucket(start, end, _cost_results(start, window.group_by, now, revisions))

    return _page("costs", replace(window, start=start), bucket)


def _drift() -> list[Revision]:
    if not _traits().is_drifting:
        return []
    reads = sandbox().store.count(f"drift|{g.key}")
    today = sandbox().now().date()
    return [Revision(today - timedelta(days=n), None, None, 1 + openai_bill.DRIFT * reads) for n in (1, 2)]


def _cost_results(
    start: int, group_by: tuple[str, ...], now: datetime, revisions: Iterable[Revision]
) -> list[dict[str, Any]]:
    day = clock.day_of(start)
    cells = slice_of(day_cells(_traits().world, sandbox().origin(), day), 0, _minute_of(now, day))
    lines = openai_bill.bill(cells, day, now, revisions)
    kept = (
        line for line in lines if _wanted(line.project_id, "project_ids") and _wanted(line.api_key_id, "api_key_ids")
    )
    return openai_bill.results(kept, group_by, as_text=_traits().has_text_amounts)


def _wanted(value: str | None, parameter: str) -> bool:
    asked = many(parameter)
    return not asked or value in asked


def _minute_of(now: datetime, day: date) -> int:
    """How much of a day has passed, in whole hours: today's bill grows with the hour."""
    return int((now - clock.midnight(day)).total_seconds() // 3_600) * 60


@routes.get("/organization/usage/<endpoint>")
def usage(endpoint: str) -> Response:
    shape = ENDPOINTS.get(endpoint)
    if shape is None:
        return error("openai", 404, "Not found", "invalid_request_error")
    window = _window(endpoint, _WIDTHS, shape.group_by)
    origin, now = sandbox().origin(), sandbox().now()

    def bucket(start: int, whole_end: int) -> dict[str, Any]:
        day, end = clock.day_of(start), min(whole_end, window.end)
        midnight = clock.unix_seconds(day)
        until = min((end - midnight) // 60, _minute_of(now, day))
        cells = slice_of(day_cells(_traits().world, origin, day), (start - midnight) // 60, until)
        mine = (cell for cell in cells if cell.endpoint == endpoint and _matches(cell))
        return _bucket(start, end, openai_usage.results(endpoint, mine, window.group_by))

    return _page(endpoint, window, bucket)


def _matches(cell: Cell) -> bool:
    asked = (
        (cell.project_id, "project_ids"),
        (cell.user_id, "user_ids"),
        (cell.api_key_id, "api_key_ids"),
        (cell.model, "models"),
    )
    is_batch_only = request.args.get("batch") == "true"
    return not is_batch_only and all(_wanted(value, parameter) for value, parameter in asked)


def _window(kind: str, widths: dict[str, tuple[int, int, int]], groups: tuple[str, ...]) -> Window:
    width, default, most = widths.get(request.args.get("bucket_width", "1d"), (0, 0, 0))
    if not width:
        raise AskedWrong(f"bucket_width must be one of {', '.join(widths)}.")
    limit = _whole("limit", default)
    if not 1 <= limit <= most:
        raise AskedWrong(f"limit must be between 1 and {most}.")
    group_by = tuple(many("group_by"))
    if unknown := set(group_by) - set(groups):
        raise AskedWrong(f"group_by does not support {', '.join(sorted(unknown))}.")
    now = int(sandbox().now().timestamp())
    start, end = _whole("start_time", None), _whole("end_time", now)
    if end <= start:
        raise AskedWrong("end_time must be after start_time.")
    return Window(_resumed(kind, start), end, width, limit, group_by)


def _whole(name: str, default: int | None) -> int:
    text = request.args.get(name)
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise AskedWrong(f"{name} must be a whole number.")
    return int(text)


def _resumed(kind: str, start: int) -> int:
    """Where the asked page begins."""
    page = request.args.get("page")
    if page is None:
        return start
    try:
        told = json.loads(base64.urlsafe_b64decode(page.removeprefix("page_")))
        if told["kind"] != kind or told["start"] < start:
            raise AskedWrong("page belongs to another request.")
        return int(told["start"])
    except (binascii.Error, ValueError, KeyError, TypeError) as fault:
        raise AskedWrong("page is not a cursor.") from fault


def _page(kind: str, window: Window, bucket: Callable[[int, int], dict[str, Any]]) -> Response:
    data: list[dict[str, Any]] = []
    start = window.start
    horizon = min(window.end, int(sandbox().now().timestamp()) + 1)
    while start < horizon and len(data) < window.limit:
        end = (start // window.width + 1) * window.width
        data.append(bucket(start, end))
        start = end
    cursor = _cursor(kind, start) if start < horizon else None
    return answer({"object": "page", "data": data, "has_more": cursor is not None, "next_page": cursor})


def _cursor(kind: str, start: int) -> str:
    return "page_" + base64.urlsafe_b64encode(json.dumps({"kind": kind, "start": start}).encode()).decode()


def _bucket(start: int, end: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "bucket", "start_time": start, "end_time": end, "results": results}


@routes.get("/dashboard/billing/credit_grants")
def credit_grants() -> Response:
    """A prepaid balance: one expired grant (still in the totals, as seen in life) and one that is being used up."""
    now = sandbox().now()
    day_age = (now.date() - sandbox().origin()).days
    minutes = int((now - datetime(now.year, now.month, now.day, tzinfo=UTC)).total_seconds()) // 60
    used = min(120.0, round((day_age * 1440 + minutes) * 0.00025, 7))
    begun = clock.unix_seconds(sandbox().origin())
    grants = [
        {"grant_amount": 5.0, "used_amount": 3.18, "effective_at": begun - 9e6, "expires_at": begun + 1e6},
        {"grant_amount": 120.0, "used_amount": used, "effective_at": float(begun), "expires_at": begun + 4e7},
    ]
    listed = [{"object": "credit_grant", "id": f"grant-{n}", **grant} for n, grant in enumerate(grants)]
    totals = {"total_granted": 125.0, "total_used": 3.18 + used, "total_available": 121.82 - used}
    return answer({"object": "credit_summary", **totals, "grants": {"object": "list", "data": listed}})
