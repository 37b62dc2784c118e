"""Switches of the sandbox's LiteLLM. Its faults are models: ask for `fault-cut`, or order one for the next calls by
`/_control/faults` with a path such as `/litellm`, or for one call by the header `X-Sandbox-Fault`. chat_faults.py lists
them; chat_models.py the models on offer; chat_scripts.py what they say.

| call | body | does |
| --- | --- | --- |
| POST `/_control/litellm/settings` | `{pace_seconds?, lists_faults?}` | seconds between two chunks (null: as started, 0.02) · whether price list and models name the faults |
| GET `/_control/litellm/spend` | | the spend log, with `?call_id=`, `end_user`, `status` … |
"""  # noqa: E501 - a table's rows are lines

from __future__ import annotations

from flask import Blueprint, Response, request

from tokenboard.sandbox.control import body_of, misused
from tokenboard.sandbox.faults import answer
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
    return answer({})


@routes.get("/spend")
def spend() -> Response:
    return answer({"rows": SpendLog(sandbox().store).rows(**request.args.to_dict())})
