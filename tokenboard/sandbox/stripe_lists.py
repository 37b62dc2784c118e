"""Stripe's lists and expansions: newest first, by cursor, filtered by fields and by `created`; ids become objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tokenboard.sandbox.stripe_form import Params, Refusal, whole
from tokenboard.sandbox.stripe_shapes import Body, listing
from tokenboard.sandbox.stripe_world import World

_UNIX_MAX = 10_000_000_000
_LIMIT_DEFAULT, _LIMIT_MAX = 10, 100
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda created, bound: created > bound,
    "gte": lambda created, bound: created >= bound,
    "lt": lambda created, bound: created < bound,
    "lte": lambda created, bound: created <= bound,
}
_EXPANDABLE = {
    "product": "product",
    "customer": "customer",
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "charge": "charge",
    "invoice": "invoice",
    "latest_invoice": "invoice",
    "subscription": "subscription",
    "payment_method": "payment_method",
    "default_payment_method": "payment_method",
}


def page(found: list[Body], params: Params, url: str) -> Body:
    """One page of `found`, which is newest first."""
    found = [one for one in found if _in_time(one, params.get("created"))]
    limit = whole(params, "limit", least=1, most=_LIMIT_MAX) or _LIMIT_DEFAULT
    ids = [one["id"] for one in found]
    if before := params.get("ending_before"):
        end = _position(ids, before, "ending_before")
        start = max(0, end - limit)
        return listing(found[start:end], url, has_more=start > 0)
    start = _position(ids, params["starting_after"], "starting_after") + 1 if params.get("starting_after") else 0
    return listing(found[start : start + limit], url, has_more=len(found) > start + limit)


def _position(ids: list[str], cursor: str, param: str) -> int:
    if cursor not in ids:
        raise Refusal(400, f"No such object: '{cursor}'", code="resource_missing", param=param)
    return ids.index(cursor)


def _in_time(thing: Body, created: Any) -> bool:
    if created is None:
        return True
    if isinstance(created, str):
        return bool(thing["created"] == whole({"created": created}, "created", most=_UNIX_MAX))
    for name in created:
        bound = whole(created, name, most=_UNIX_MAX)
        if name not in _COMPARE or bound is None:
            raise Refusal(400, f"Invalid created filter: {name}", param="created")
        if not _COMPARE[name](thing["created"], bound):
            return False
    return True


def matching(found: list[Body], params: Params, *names: str) -> list[Body]:
    """The objects whose fields are what these parameters say; booleans come as text."""
    asked = {name: params[name] for name in names if params.get(name) not in (None, "")}
    return [one for one in found if all(_text(one.get(name)) == value for name, value in asked.items())]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def expanded(world: World, answer: Body, params: Params, fill: Callable[[World, Body, str], Any]) -> Body:
    """The answer with every asked expansion. `fill` knows what is only there when asked for (`line_items`)."""
    for path in params.get("expand") or []:
        parts = str(path).split(".")
        if len(parts) > 4:
            raise Refusal(400, "You cannot expand more than 4 levels of a property at once.", param="expand")
        _expand(world, answer, parts, fill, str(path))
    return answer


def _expand(world: World, thing: Any, parts: list[str], fill: Callable[[World, Body, str], Any], path: str) -> None:
    if isinstance(thing, list):
        for one in thing:
            _expand(world, one, parts, fill, path)
        return
    name, rest = parts[0], parts[1:]
    if not isinstance(thing, dict):
        return
    if name not in thing:
        extra = fill(world, thing, name)
        if extra is None:
            raise Refusal(400, f"This property cannot be expanded ({path}).", param="expand")
        thing[name] = extra
    elif isinstance(thing[name], str):
        kind = _EXPANDABLE.get(name)
        if kind is None:
            raise Refusal(400, f"This property cannot be expanded ({path}).", param="expand")
        stub: Body = {"id": thing[name], "object": kind, "deleted": True}
        thing[name] = world.look(kind, thing[name]) or stub
    if rest:
        _expand(world, thing[name], rest, fill, path)
