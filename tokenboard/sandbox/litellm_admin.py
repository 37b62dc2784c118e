"""LiteLLM's admin API, keys: made, changed, read, blocked, deleted. With the quirks seen on 1.106.2.

An alias is unique, a key's own value is not; what is missing answers 404 in two wordings; `max_budget: null` and `""`
lift a budget; a duration of `-1` lifts an expiry; `/v2/key/info` gives rows without their tokens.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.litellm_access import admin_problem, is_database_down, no_database
from tokenboard.sandbox.litellm_rows import key_bulk, key_listed, key_made, key_told
from tokenboard.sandbox.litellm_shapes import refused
from tokenboard.sandbox.litellm_world import KEY, LOCK, Row, World
from tokenboard.sandbox.memory import bearer, sandbox
from tokenboard.sandbox.spend_log import key_hash

routes = Blueprint("litellm_admin", __name__, url_prefix="/litellm")

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SETTABLE = (
    "key_alias user_id team_id models rpm_limit tpm_limit max_parallel_requests metadata budget_duration spend".split()
)


class Refusal(Exception):
    """The proxy says no; `answer` is how."""

    def __init__(self, told: Response) -> None:
        super().__init__(told.status)
        self.answer = told


def guard(door: Blueprint) -> None:
    """Master key only, no database no answer; refusals become answers."""
    door.before_request(_admit)
    door.register_error_handler(Refusal, lambda refusal: refusal.answer)


def _admit() -> Response | None:
    sandbox().store.record_call(request.path, "")
    problem = admin_problem(bearer())
    return problem or (no_database(request.path) if is_database_down() else None)


guard(routes)


def world() -> World:
    return World(sandbox().store)


def body_of() -> dict[str, Any]:
    """The JSON body. Raises: Refusal, as FastAPI says it."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        detail = [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}]
        raise Refusal(answer({"detail": detail}, 422))
    return body


def budget_of(body: Mapping[str, Any]) -> float | None:
    """A budget as given. Raises: Refusal for one that is negative."""
    told = body.get("max_budget")
    if told is None or told == "":
        return None
    try:
        amount = Decimal(str(told))
    except InvalidOperation:
        detail = [{"type": "float_parsing", "loc": ["body", "max_budget"], "msg": "Input should be a valid number"}]
        raise Refusal(answer({"detail": detail}, 422)) from None
    if not amount.is_finite() or amount < 0:
        words = f"{{'error': 'max_budget must be a non-negative finite number. Received: {told}'}}"
        raise Refusal(refused(400, words, "auth_error", param="None"))
    return float(amount)


def expiry_of(told: object, at: datetime) -> str | None:
    """`90d` from now; -1 never. Raises: Refusal."""
    text = str(told)
    if text == "-1":
        return None
    if text[-1:] not in _UNITS or not text[:-1].isdigit():
        raise Refusal(refused(400, f"Unsupported duration value {text}", "auth_error", param="None"))
    return (at + timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])).isoformat(timespec="milliseconds")


def token_of(told: object) -> str:
    """A key's name, by the key itself or by its hash."""
    text = str(told or "")
    return key_hash(text) if text.startswith("sk-") else text


def _found(told: object, words: str = "Key not found in database") -> Row:
    row = world().key(token_of(told))
    if row is None:
        raise Refusal(refused(404, words, "not_found_error", param="key"))
    return row


@routes.post("/key/generate")
def generate() -> Response:
    body, at, here = body_of(), sandbox().now(), world()
    with LOCK:
        alias = body.get("key_alias")
        if alias and here.key_by_alias(alias) is not None:
            words = f"Key with alias '{alias}' already exists. Unique key aliases across all keys are required."
            raise Refusal(refused(400, words, "bad_request_error", param="key_alias"))
        secret = str(body.get("key") or "sk-" + secrets.token_urlsafe(16))
        row = here.make_key(key_hash(secret), f"sk-...{secret[-4:]}", at)
        _change(row, body, at)
        here.put_key(row)
    return answer(key_made(row, secret))


def _change(row: Row, body: Mapping[str, Any], at: datetime) -> None:
    """Only what the body names."""
    row |= {name: body[name] for name in _SETTABLE if name in body}
    row["models"], row["metadata"] = row["models"] or [], row["metadata"] or {}
    if "max_budget" in body:
        row["max_budget"] = budget_of(body)
    if body.get("duration") is not None:
        row["expires"] = expiry_of(body["duration"], at)
    if "blocked" in body:
        row["blocked"] = body["blocked"]


@routes.post("/key/update")
def update() -> Response:
    body, at = body_of(), sandbox().now()
    with LOCK:
        row = _found(body.get("key"), "Key not found.")
        _change(row, body, at)
        row["updated_at"] = row["settings_updated_at"] = at.isoformat(timespec="milliseconds")
        world().put_key(row)
    return answer({"key": row["token"]} | row)


@routes.get("/key/info")
def info() -> Response:
    row = _found(request.args.get("key"))
    return answer({"key": request.args["key"], "info": key_told(row)})


@routes.post("/v2/key/info")
def bulk_info() -> Response:
    tokens = [token_of(one) for one in body_of().get("keys") or []]
    rows = [row for row in world().objects.listed(KEY) if row["token"] in tokens]
    if not rows:
        raise Refusal(refused(404, "{'error': 'No keys found'}", "internal_server_error"))
    return answer({"key": tokens, "info": [key_bulk(row) for row in rows]})


@routes.get("/key/list")
def listed() -> Response:
    page, size = number_of("page", 1), number_of("size", 10, most=100)
    wanted = {"key_alias": "key_alias", "user_id": "user_id", "key_hash": "token"}
    rows = [row for row in world().objects.listed(KEY) if all(_is(row, name, given) for given, name in wanted.items())]
    part = rows[(page - 1) * size : page * size]
    is_full = request.args.get("return_full_object") == "true"
    told = {"total_count": len(rows), "current_page": page, "total_pages": -(-len(rows) // size)}
    return answer({"keys": [key_listed(row) if is_full else row["token"] for row in part]} | told)


def _is(row: Row, name: str, given: str) -> bool:
    wanted = request.args.get(given)
    return wanted is None or row[name] == wanted


def number_of(name: str, default: int, *, most: int = 10**9) -> int:
    """A page or its size. Raises: Refusal, as FastAPI says it."""
    text = request.args.get(name, str(default))
    if text.isdigit() and 1 <= int(text) <= most:
        return int(text)
    is_small = not text.isdigit() or int(text) < 1
    kind, words = (
        ("greater_than_equal", "greater than or equal to 1"),
        ("less_than_equal", f"less than or equal to {most}"),
    )
    found = kind if is_small else words
    detail = [{"type": found[0], "loc": ["query", name], "msg": f"Input should be {found[1]}"}]
    raise Refusal(answer({"detail": detail}, 422))


@routes.post("/key/block")
def block() -> Response:
    return _blocked(is_blocked=True)


@routes.post("/key/unblock")
def unblock() -> Response:
    return _blocked(is_blocked=False)


def _blocked(*, is_blocked: bool) -> Response:
    with LOCK:
        row = _found(body_of().get("key"), "Key not found.")
        row["blocked"] = is_blocked
        world().put_key(row)
    return answer(row | {"org_id": None})


@routes.post("/key/delete")
def delete() -> Response:
    body, here = body_of(), world()
    with LOCK:
        rows = [here.key(token_of(one)) for one in body.get("keys") or []]
        rows += [here.key_by_alias(one) for one in body.get("key_aliases") or []]
        gone = [row["token"] for row in rows if row is not None]
        if not gone:
            raise Refusal(refused(404, "{'error': 'No keys found'}", "internal_server_error"))
        for token in gone:
            here.objects.remove(KEY, token)
    return answer({"deleted_keys": gone})
