r"""Switches of the sandbox's LiteLLM. Its faults are models: ask for `fault-cut`, or order one for the next calls by
`/_control/faults` with a path such as `/litellm`, or for one call by the header `X-Sandbox-Fault`. chat_faults.py lists
them; chat_models.py the models on offer; chat_scripts.py what they say.

| call | body | does |
| --- | --- | --- |
| POST `/_control/litellm/settings` | `{pace_seconds?, lists_faults?, log_delay_seconds?, callback_loses?, database_down?}` | seconds between two chunks (null: as started, 0.02) · whether price list and models name the faults · how late the log shows a request · every n-th record the callback loses (0: none) · whether its database is away |
| POST `/_control/litellm/flush` | | posts what waits for the callback, now |
| POST `/_control/litellm/restart-empty` | | the proxy began anew with an empty database |
| POST `/_control/litellm/edit` | `{kind: key\|user\|customer\|budget, id, changes}` | somebody edits a row by hand; `changes` null: deletes it |
| GET `/_control/litellm/spend` | | the spend log, with `?call_id=`, `end_user`, `status` … |
"""  # noqa: E501 - a table's rows are lines

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from tokenboard.sandbox.control import Misused, body_of, misused
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.litellm_access import DB_DOWN
from tokenboard.sandbox.litellm_admin_spend import DELAY
from tokenboard.sandbox.litellm_callback import EXTENSION as CALLBACK, LOST
from tokenboard.sandbox.litellm_world import KINDS, World
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.spend_log import SpendLog

routes = Blueprint("litellm_control", __name__, url_prefix="/_control/litellm")
misused(routes)


@routes.post("/settings")
def settings() -> Response:
    body, store = body_of(), sandbox().store
    if "pace_seconds" in body:
        pace = body["pace_seconds"]
        store.set("chat_pace_seconds", None if pace is None else str(float(pace)))
    if "lists_faults" in body:
        store.set("lists_chat_faults", "1" if body["lists_faults"] else None)
    if "log_delay_seconds" in body:
        store.set(DELAY, str(float(body["log_delay_seconds"])))
    if "callback_loses" in body:
        store.set(LOST, str(int(body["callback_loses"])))
    if "database_down" in body:
        store.set(DB_DOWN, "1" if body["database_down"] else None)
    return answer({})


@routes.post("/flush")
def flush() -> Response:
    return answer({"posted": current_app.extensions[CALLBACK].flush()})


@routes.post("/restart-empty")
def restart_empty() -> Response:
    World(sandbox().store).empty()
    return answer({})


@routes.post("/edit")
def edit() -> Response:
    body, objects = body_of(), World(sandbox().store).objects
    kind, name, changes = f"litellm_{body['kind']}", str(body["id"]), body["changes"]
    row = objects.get(kind, name)
    if kind not in KINDS or row is None:
        raise Misused(f"there is no such {body['kind']}")
    if changes is None:
        objects.remove(kind, name)
    else:
        objects.put(kind, name, row | changes)
    return answer({})


@routes.get("/spend")
def spend() -> Response:
    return answer({"rows": SpendLog(sandbox().store).rows(**request.args.to_dict())})
