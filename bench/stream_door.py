"""`gunicorn bench.stream_door:app`: the product with one more door, for the stream benchmark.

POST /bench/answers begins an answer for the next of many people (one person's answers wait for each other's hold, as
they should) on the whole path: price, caps, hold, commit, upstream, recorder, settlement. BENCH_RECORDING=off leaves
out what the recorder writes and nothing else, so that its cost can be told apart.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from flask import Blueprint, Response, request

from tokenboard.app import create_app
from tokenboard.core.db import db
from tokenboard.metering import service
from tokenboard.metering.facts import CallOrder, Payer, Settled
from tokenboard.metering.generations import Generations, generations
from tokenboard.metering.recorder import Recorder
from tokenboard.metering.recording import Note, Verdict
from tokenboard.metering.stream_events import Delta, Ended, StreamEvent
from tokenboard.providers.chat_client import ChatCall
from tokenboard.web import limits, sse
from tokenboard.web.security import exempt_from_csrf
from tokenboard.workspaces.models import Membership, Workspace

blueprint = Blueprint("bench_answers", __name__)
MESSAGES = [{"role": "user", "content": "Tell me something about benchmarks."}]
# As /v1 reads it: the wallet, not the whole workspace.
_WALLET = sa.select(Workspace.ledger_account_id).where(Workspace.id == sa.bindparam("asked"))
_turns = itertools.count()
_people: list[tuple[str, str]] = []  # workspace and person


def _nothing(_settled: Settled, _text: str) -> None:
    """The room above, which is not there."""


@blueprint.post("/bench/answers")
@limits.limiter.exempt
@exempt_from_csrf("no cookie reaches it")
def start() -> Response:
    generations().refuse_if_full()
    workspace_id, person_id = _next_person()
    order = CallOrder(
        workspace=Payer(workspace_id, db.session.execute(_WALLET, {"asked": workspace_id}).scalar_one()),
        person_id=person_id,
        source="gateway",
        model="bench",
        messages=MESSAGES,
        max_output_tokens=int(request.get_json()["max_completion_tokens"]),
        keeps_text=True,
    )
    call = service.begin(order=order)
    db.session.commit()
    asked = ChatCall(call.id, call.model, MESSAGES, call.max_output_tokens)
    generation = generations().start(call, asked, on_settled=_nothing)
    return sse.response(_told(generation.listen()))


def _next_person() -> tuple[str, str]:
    if not _people:
        _people.extend(
            (row[0], row[1]) for row in db.session.execute(sa.select(Membership.workspace_id, Membership.person_id))
        )
    return _people[next(_turns) % len(_people)]


def _told(events: Iterator[StreamEvent]) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, Delta):
            yield sse.event(json.dumps({"content": event.text}), name="answer", event_id=event.to_char)
        elif isinstance(event, Ended):
            yield sse.event("[DONE]" if event.settled else "unsettled", name="done")
        else:
            yield sse.HEARTBEAT


def _not_written(notes: Sequence[Note]) -> Mapping[str, Verdict]:
    return {note.call_id: Verdict(is_kept=True, is_ours=True, is_asked_to_stop=False) for note in notes}


app = create_app()
app.register_blueprint(blueprint)
if os.environ.get("BENCH_RECORDING") == "off":
    found: Generations = app.extensions["generations"]
    found.recorder = Recorder(_not_written)
