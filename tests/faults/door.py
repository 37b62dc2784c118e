"""The product with one more door: an answer without pages around it, as the fault tests and measurements need it.

`gunicorn tests.faults.door:app`. POST /test/answers {person_id, workspace_id, model, message, max_output_tokens?};
the first event names the call, then come its pieces, then how it ended.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator

from flask import Blueprint, Response, request

from tokenboard.app import create_app
from tokenboard.core.db import db
from tokenboard.metering import service
from tokenboard.metering.facts import CallOrder, Settled
from tokenboard.metering.generations import generations
from tokenboard.metering.listening import listen
from tokenboard.metering.stream_events import Delta, Heartbeat, StreamEvent
from tokenboard.providers.chat_client import ChatCall
from tokenboard.web import limits, sse
from tokenboard.web.security import exempt_from_csrf
from tokenboard.workspaces.models import Workspace

blueprint = Blueprint("test_answers", __name__, url_prefix="/test")


def _nothing(_settled: Settled, _text: str) -> None:
    """The room above, which is not there."""


@blueprint.post("/answers")
@limits.limiter.exempt
@exempt_from_csrf("no cookie reaches it")
def start() -> Response:
    generations().refuse_if_full()
    wish = request.get_json()
    messages = [{"role": "user", "content": wish["message"]}]
    order = CallOrder(
        workspace=db.session.get_one(Workspace, wish["workspace_id"]),
        person_id=wish.get("person_id"),
        source="gateway",
        model=wish["model"],
        messages=messages,
        max_output_tokens=wish.get("max_output_tokens"),
        keeps_text=wish.get("keeps_text", True),
    )
    call = service.begin(order=order)
    db.session.commit()
    asked = ChatCall(call.id, call.model, messages, call.max_output_tokens)
    generations().start(call, asked, on_settled=_nothing, is_bound=wish.get("is_bound", False))
    return sse.response(_told(call.id, 0))


@blueprint.get("/answers/<uuid:call_id>")
@limits.limiter.exempt
def follow(call_id: object) -> Response:
    return sse.response(_told(str(call_id), sse.last_event_id()))


@blueprint.post("/answers/<uuid:call_id>/stop")
@limits.limiter.exempt
@exempt_from_csrf("no cookie reaches it")
def stop(call_id: object) -> Response:
    service.request_stop(call_id=str(call_id))
    db.session.commit()
    generations().stop(str(call_id))
    return Response(status=202)


def _told(call_id: str, from_char: int) -> Iterator[bytes]:
    events = listen(call_id, from_char)
    return _written(call_id, events)


def _written(call_id: str, events: Iterator[StreamEvent]) -> Iterator[bytes]:
    yield sse.event(json.dumps({"call_id": call_id, "process": os.getpid()}), name="meta", event_id=0)
    for event in events:
        if isinstance(event, Delta):
            yield sse.event(json.dumps({"content": event.text}), name="answer", event_id=event.to_char)
        elif isinstance(event, Heartbeat):
            yield sse.HEARTBEAT
        else:
            settled = event.settled
            told: dict[str, object] = {"reason": event.reason, "error": event.error.code if event.error else ""}
            told |= {"credits_micros": settled.credits_micros} if settled else {}
            yield sse.event(json.dumps(told), name="done")


class HubWatch:
    """How long this process's one thread was busy without letting others run, in seconds of its own CPU time.

    CPU time and not the clock, so that a busy machine is not taken for a busy thread.
    """

    def __init__(self) -> None:
        self.longest_seconds = 0.0

    def watch(self) -> None:
        last = time.thread_time()
        while True:
            time.sleep(0.002)
            instant = time.thread_time()
            self.longest_seconds = max(self.longest_seconds, instant - last)
            last = instant


hub_watch = HubWatch()


@blueprint.post("/hub/watch")
@exempt_from_csrf("no cookie reaches it")
def watch_hub() -> Response:
    threading.Thread(target=hub_watch.watch, daemon=True).start()
    return Response(status=204)


@blueprint.get("/hub/longest")
def longest_stall() -> dict[str, float]:
    return {"seconds": hub_watch.longest_seconds}


app = create_app()
app.register_blueprint(blueprint)
