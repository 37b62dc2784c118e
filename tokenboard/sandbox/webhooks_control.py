"""Where the payment providers' webhooks go, and in which disorder.

| call | body | does |
| --- | --- | --- |
| GET `/_control/webhooks` | `?provider=` | endpoints (without secrets) and all deliveries |
| POST `/_control/webhooks` | `{provider, url?, secrets?, mode?, copies?, order?, delay_seconds?, is_early?, lose?, retry_seconds?}` | changes what is given |
| POST `/_control/webhooks/deliver` | `{provider?, order?, seed?, event_ids?, include_lost?}` | sends what has not arrived, now, and tells how it went |
| POST `/_control/webhooks/resend` | `{provider, event_id}` | puts an old event among the held ones again |

`mode`: `auto` or `held` (nothing is sent until `deliver`). `order`: `created`, `reversed`, `shuffled`. `copies`: every
event is sent so often. `lose`: so many of the next events are never sent. `is_early`: before the causing call is
answered. `retry_seconds`: the waits between attempts.
"""  # noqa: E501 - a table's rows are lines

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox.control import Misused, body_of, misused
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.payments import payments
from tokenboard.sandbox.postman import PROVIDERS, Delivery, Endpoint

routes = Blueprint("webhooks_control", __name__, url_prefix="/_control/webhooks")
misused(routes)

_READERS: dict[str, Any] = {
    "url": str,
    "secrets": lambda value: tuple(str(one) for one in value),
    "mode": str,
    "copies": int,
    "order": str,
    "delay_seconds": float,
    "is_early": bool,
    "lose": int,
    "retry_seconds": lambda value: tuple(float(one) for one in value),
}


def _provider(body: dict[str, Any]) -> str:
    if body.get("provider") not in PROVIDERS:
        raise Misused(f"provider is one of {', '.join(PROVIDERS)}")
    return str(body["provider"])


def _told(delivery: Delivery) -> dict[str, Any]:
    facts = asdict(delivery)
    facts.pop("body")
    return facts


@routes.get("")
def state() -> Response:
    postman = payments().postman
    endpoints = {name: asdict(postman.endpoint(name)) for name in PROVIDERS}
    for facts in endpoints.values():
        facts["secrets"] = len(facts["secrets"])
    found = postman.deliveries(request.args.get("provider"))
    return answer({"endpoints": endpoints, "deliveries": [_told(one) for one in found]})


@routes.post("")
def direct() -> Response:
    body = body_of()
    provider = _provider(body)
    if unknown := set(body) - set(_READERS) - {"provider"}:
        raise Misused(f"not known: {', '.join(sorted(unknown))}")
    changed = {name: _READERS[name](value) for name, value in body.items() if name != "provider"}
    endpoint: Endpoint = replace(payments().postman.endpoint(provider), **changed)
    if endpoint.mode not in ("auto", "held") or endpoint.order not in ("created", "reversed", "shuffled"):
        raise Misused("mode is auto or held; order is created, reversed or shuffled")
    payments().postman.direct(provider, endpoint)
    return answer({})


@routes.post("/deliver")
def deliver() -> Response:
    body = body_of()
    done = payments().postman.deliver_now(
        _provider(body) if "provider" in body else None,
        order=body.get("order"),
        seed=int(body.get("seed", 0)),
        event_ids=body.get("event_ids"),
        include_lost=bool(body.get("include_lost")),
    )
    return answer({"deliveries": [_told(one) for one in done]})


@routes.post("/resend")
def resend() -> Response:
    body = body_of()
    provider, event_id = _provider(body), str(body["event_id"])
    known = [one for one in payments().postman.deliveries(provider) if one.event_id == event_id]
    if not known:
        raise Misused(f"no delivery of {event_id}")
    payments().postman.resend(provider, event_id, known[0].type, known[0].body)
    return answer({})
