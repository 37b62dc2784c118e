"""LiteLLM's spend log as its admin API shows it. As seen on 1.106.2: ordered by start, so many a page, `total` capped
at 10,000 while later pages go on, rows there some seconds after their request has ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.litellm_admin import Refusal, guard, number_of, world
from tokenboard.sandbox.litellm_shapes import refused
from tokenboard.sandbox.memory import sandbox

routes = Blueprint("litellm_admin_spend", __name__, url_prefix="/litellm")
guard(routes)

DELAY = "litellm_log_delay_seconds"
MOST_TOLD = 10_000
_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
_FILTERS = {"api_key": "api_key", "user_id": "user", "end_user": "end_user", "request_id": "request_id"}


@routes.get("/spend/logs/v2")
def logs() -> Response:
    since, until = _bound("start_date"), _bound("end_date")
    page, size = number_of("page", 1), number_of("page_size", 50, most=1_000)
    where, values = _where(since, until)
    order = "DESC" if request.args.get("sort_order", "desc") == "desc" else "ASC"
    with world().store.opened() as db:
        total = db.execute(f"SELECT count(*) FROM spend WHERE {where}", values).fetchone()[0]  # noqa: S608 - our words
        query = f"SELECT body FROM spend WHERE {where} ORDER BY started_at {order}, number LIMIT ? OFFSET ?"  # noqa: S608
        rows = [json.loads(body) for (body,) in db.execute(query, (*values, size, (page - 1) * size))]
    told = min(total, MOST_TOLD)
    paging = {"total": told, "page": page, "page_size": size, "total_pages": -(-told // size)}
    return answer({"data": rows} | paging | {"total_is_capped": total > MOST_TOLD})


def _bound(name: str) -> datetime:
    text = request.args.get(name)
    if not text:
        raise Refusal(refused(400, "Start date and end date are required", "bad_request", param="None"))
    for form in _FORMATS:
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        is_whole_day = form == _FORMATS[0] and name == "end_date"
        return found + timedelta(days=1) if is_whole_day else found
    words = f"Invalid date format: {text}. Expected: 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM:SS'"
    raise Refusal(refused(400, words, "internal_server_error"))


def _where(since: datetime, until: datetime) -> tuple[str, list[Any]]:
    """Rows in this time that are written down by now."""
    delay = timedelta(seconds=float(sandbox().store.setting(DELAY) or 0))
    there = (sandbox().now() - delay).isoformat(timespec="milliseconds")
    ends = [one.isoformat(timespec="milliseconds") for one in (since, until)]
    where, values = "started_at BETWEEN ? AND ? AND json_extract(body, '$.endTime') <= ?", [*ends, there]
    for given, column in _FILTERS.items():
        if wanted := request.args.get(given):
            where, values = f"{where} AND {column} = ?", [*values, wanted]
    if status := request.args.get("status_filter"):
        where, values = f"{where} AND status = ?", [*values, status]
    return where, values
