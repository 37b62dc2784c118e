"""LiteLLM's admin API, users, customers and budgets. With the quirks seen on 1.106.2.

`/user/update` makes a user that is missing; `/customer/new` refuses one that traffic has made; `/customer/update`
ignores a budget of 0 or null and writes into whatever budget row the customer has; `/budget/update` answers 200 with
`null` for a row that is missing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.litellm_admin import Refusal, body_of, budget_of, guard, number_of, world
from tokenboard.sandbox.litellm_rows import user_made, user_told
from tokenboard.sandbox.litellm_shapes import refused
from tokenboard.sandbox.litellm_world import CUSTOMER, LOCK, USER, Row
from tokenboard.sandbox.memory import sandbox

routes = Blueprint("litellm_admin_people", __name__, url_prefix="/litellm")
guard(routes)

_USER_FIELDS = ("user_email", "user_alias", "user_role", "models", "metadata", "budget_duration", "spend")


@routes.post("/user/new")
def new_user() -> Response:
    body, here, at = body_of(), world(), sandbox().now()
    with LOCK:
        user_id = str(body.get("user_id") or "")
        if here.user(user_id) is not None:
            words = f"{{'error': 'User with id {user_id} already exists'}}"
            raise Refusal(refused(409, words, "internal_server_error"))
        row = here.make_user(user_id, at)
        _change_user(row, body)
        here.put_user(row)
    return answer(user_made(row))


def _change_user(row: Row, body: dict[str, Any]) -> None:
    row |= {name: body[name] for name in _USER_FIELDS if name in body}
    if "max_budget" in body:
        row["max_budget"] = budget_of(body)


@routes.post("/user/update")
def update_user() -> Response:
    body, here, at = body_of(), world(), sandbox().now()
    with LOCK:
        user_id = str(body.get("user_id") or "")
        row = here.user(user_id) or here.make_user(user_id, at)
        _change_user(row, body)
        row["updated_at"] = at.isoformat(timespec="milliseconds")
        here.put_user(row)
    return answer({"user_id": user_id, "data": user_told(row)})


@routes.get("/user/info")
def user_info() -> Response:
    user_id = request.args.get("user_id", "")
    row = world().user(user_id)
    if row is None:
        raise Refusal(refused(404, f"User {user_id} not found", "internal_server_error"))
    return answer({"user_id": user_id, "user_info": user_told(row), "keys": [], "teams": []})


@routes.get("/user/list")
def users() -> Response:
    page, size = number_of("page", 1), number_of("page_size", 25, most=100)
    rows = world().objects.listed(USER)
    part = [row | {"key_count": 0} for row in rows[(page - 1) * size : page * size]]
    told = {"total": len(rows), "page": page, "page_size": size, "total_pages": -(-len(rows) // size)}
    return answer({"users": part} | told)


@routes.post("/customer/new")
def new_customer() -> Response:
    body, here, at = body_of(), world(), sandbox().now()
    with LOCK:
        user_id = str(body.get("user_id") or "")
        if here.customer(user_id) is not None:
            words = f"Customer already exists, passed user_id={user_id}. Please pass a new user_id."
            raise Refusal(refused(400, words, "bad_request", param="user_id"))
        row = here.make_customer(user_id)
        row["alias"] = body.get("alias")
        if (budget := budget_of(body)) is not None:
            row["budget_id"] = here.make_budget(at, max_budget=budget)["budget_id"]
        here.put_customer(row)
    return _customer(user_id)


@routes.post("/customer/update")
def update_customer() -> Response:
    body, here, at = body_of(), world(), sandbox().now()
    with LOCK:
        user_id = str(body.get("user_id") or "")
        row = _known(user_id, "user_id")
        row |= {name: body[name] for name in ("alias", "blocked", "models") if body.get(name)}
        _give_budget(row, budget_of(body), at)
        here.put_customer(row)
    return _customer(user_id)


def _give_budget(row: Row, budget: float | None, at: datetime) -> None:
    """0 and null are not looked at."""
    if not budget:
        return
    kept = world().budget(row["budget_id"]) if row["budget_id"] else None
    if kept is None:
        row["budget_id"] = world().make_budget(at, max_budget=budget)["budget_id"]
    else:
        world().put_budget(kept | {"max_budget": budget})


def _known(user_id: str, param: str) -> Row:
    row = world().customer(user_id)
    if row is None:
        words = f"End User Id={user_id} does not exist in db"
        raise Refusal(refused(404, words, "not_found", param=param))
    return row


def _customer(user_id: str) -> Response:
    return answer(_known(user_id, "end_user_id"))


@routes.get("/customer/info")
def customer_info() -> Response:
    return _customer(request.args.get("end_user_id", ""))


@routes.get("/customer/list")
def customers() -> Response:
    """All of them at once, whatever page is asked for."""
    return answer([world().customer(row["user_id"]) for row in world().objects.listed(CUSTOMER)])


@routes.post("/budget/update")
def update_budget() -> Response:
    body, here = body_of(), world()
    with LOCK:
        row = here.budget(str(body.get("budget_id") or ""))
        if row is None:
            return answer("null")
        if "max_budget" in body:
            row["max_budget"] = budget_of(body)
        row["updated_at"] = sandbox().now().isoformat(timespec="milliseconds")
        here.put_budget(row)
    return answer(row)
