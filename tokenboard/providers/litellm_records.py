"""Reads spend records: the callback's payloads and the rows of `/spend/logs/v2`, into one shape. Pure.

Laws: what a record costs is what the proxy says it costs; a number that cannot be (negative, endless, text) counts as
nothing and marks the record as odd, so that the rest of the batch goes on; a record without an id or a time is none.
Source: reference "LiteLLM", sections 8 and 9, November 2026.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tokenboard.core.money import BIGINT_MAX
from tokenboard.providers.litellm_answers import moment, usd_nano
from tokenboard.providers.litellm_objects import SpendPage, SpendRecord
from tokenboard.providers.reading import Unreadable, count_of, id_of, object_of, text_of

_TOKENS_MAX = 1_000_000_000  # no model has a context a thousandth as large
_COST_MAX_NANO = 1_000_000 * 1_000_000_000  # a million dollars for one request is no price
MOST_MARKS = 20


class _Odd:
    """Reads numbers, and remembers that one was none."""

    def __init__(self) -> None:
        self.is_odd = False

    def tokens(self, *values: object) -> int:
        """The first that is there."""
        value = next((one for one in values if one is not None), 0)
        return self._kept(lambda: count_of(value, "tokens"), _TOKENS_MAX)

    def cost(self, value: object) -> int:
        return self._kept(lambda: usd_nano(value, "cost"), min(_COST_MAX_NANO, BIGINT_MAX))

    def _kept(self, read: Any, most: int) -> int:
        try:
            found: int = read()
        except Unreadable:
            found = -1
        if 0 <= found <= most:
            return found
        self.is_odd = True
        return 0


def callback_record(row: Mapping[str, object]) -> SpendRecord:
    """One payload of the logging callback. Raises: Unreadable."""
    metadata = _part(row, "metadata")
    error = _part(row, "error_information")
    return _record(
        row,
        metadata,
        cost=row.get("response_cost"),
        key_hash=metadata.get("user_api_key_hash"),
        user_id=metadata.get("user_api_key_user_id"),
        error_code=error.get("error_code"),
        request_id=row.get("id"),
    )


def read_callback(body: bytes) -> SpendPage:
    """A whole delivery: a JSON array, one object, or a line each (`log_format` json_array, single, ndjson).

    What is no record is counted, never raised: the records beside it are good.
    """
    rows = _rows(body)
    records = [_readable(row) for row in rows]
    kept = tuple(one for one in records if one is not None)
    return SpendPage(kept, rows=len(rows), unreadable=len(rows) - len(kept))


def _rows(body: bytes) -> list[object]:
    try:
        whole = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return [_line(line) for line in body.splitlines() if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def _line(line: bytes) -> object:
    try:
        return json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _readable(row: object) -> SpendRecord | None:
    try:
        return callback_record(object_of(row, "record"))
    except Unreadable:
        return None


def logged_record(row: Mapping[str, object]) -> SpendRecord:
    """One row of `/spend/logs/v2`. Raises: Unreadable."""
    metadata = _part(row, "metadata")
    error = _part(metadata, "error_information")
    return _record(
        row,
        metadata,
        cost=row.get("spend"),
        key_hash=row.get("api_key"),
        user_id=row.get("user"),
        error_code=error.get("error_code"),
        request_id=row.get("request_id"),
    )


def _record(
    row: Mapping[str, object],
    metadata: Mapping[str, object],
    *,
    cost: object,
    key_hash: object,
    user_id: object,
    error_code: object,
    request_id: object,
) -> SpendRecord:
    usage = _part(metadata, "usage_object")
    prompt_details, completion_details = (
        _part(usage, "prompt_tokens_details"),
        _part(usage, "completion_tokens_details"),
    )
    odd = _Odd()
    prompt = odd.tokens(row.get("prompt_tokens"), usage.get("prompt_tokens"))
    completion = odd.tokens(row.get("completion_tokens"), usage.get("completion_tokens"))
    cached = odd.tokens(prompt_details.get("cached_tokens"), usage.get("cache_read_input_tokens"))
    reasoning = odd.tokens(completion_details.get("reasoning_tokens"))
    cost_nano = odd.cost(cost)
    started_at = _time(row, "startTime")
    ended_at = moment(row.get("endTime"), "endTime") or started_at
    first_token_at = moment(row.get("completionStartTime"), "completionStartTime")
    return SpendRecord(
        request_id=id_of(request_id, "request_id"),
        call_id=text_of(row.get("litellm_call_id"), "litellm_call_id") or "",
        key_hash=text_of(key_hash, "api_key") or "",
        user_id=text_of(user_id, "user") or "",
        end_user=(text_of(row.get("end_user"), "end_user") or "").lower(),
        model=text_of(row.get("model_group"), "model_group") or text_of(row.get("model"), "model") or "",
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=min(cached, prompt),
        reasoning_tokens=min(reasoning, completion),
        cost_nano=cost_nano,
        is_success=row.get("status") == "success",
        error_code=text_of(str(error_code), "error_code") or "" if error_code is not None else "",
        started_at=started_at,
        ended_at=max(ended_at, started_at),
        first_token_at=first_token_at if first_token_at and first_token_at >= started_at else None,
        marks=_marks(metadata),
        is_odd=odd.is_odd,
    )


def _part(row: Mapping[str, object], name: str) -> dict[str, object]:
    """A part that is an object; missing, null or anything else is an empty one."""
    found = row.get(name)
    return object_of(found, name) if isinstance(found, dict) else {}


def _time(row: Mapping[str, object], name: str) -> datetime:
    found = moment(row.get(name), name)
    if found is None:
        raise Unreadable(f"{name} is missing")
    return found


def _marks(metadata: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    given = _part(metadata, "spend_logs_metadata")
    texts = ((name, value) for name, value in given.items() if isinstance(value, str))
    return tuple(
        (text_of(name, "mark") or "", text_of(value, "mark") or "") for name, value in list(texts)[:MOST_MARKS]
    )
