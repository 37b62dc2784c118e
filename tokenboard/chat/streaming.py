"""An answer as a stream of events: the JSON vocabulary of api.md, and the page's own.

Laws: what was written is told from the database once the answer has ended, so that a stream may be asked for again at
any time and says the same; no connection to the database is kept while one waits for the next piece; an event's id is
the number of characters told with it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping

from tokenboard.chat import answers, rules
from tokenboard.chat.models import Conversation, Message, Status
from tokenboard.core.db import db, read_only
from tokenboard.ledger import queries as ledger
from tokenboard.metering.facts import Settled
from tokenboard.metering.listening import listen
from tokenboard.metering.stream_events import ChatFailure, Delta, Ended, Heartbeat, StreamEvent
from tokenboard.web import sse

_REASONS = {
    Status.DONE: "ok",
    Status.STOPPED: "stopped",
    Status.LENGTH: "length",
    Status.INTERRUPTED: "interrupted",
    Status.FAILED: "failed",
}
# Plain texts and numbers alone, thousands of times a second: the application's own writer is made anew each time.
_JSON = json.JSONEncoder(ensure_ascii=False)
_BROKEN_OFF = ("interrupted", "failed")


def told(message: Message, from_char: int) -> Iterator[StreamEvent]:
    """Every event of an answer from a character on, also when it has ended long ago.

    A row that is out of date by now does no harm: whoever listens to an answer that has ended meanwhile hears its end.
    """
    return listen(message.id, from_char) if message.status == Status.STREAMING else _stored(message, from_char)


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """A look into the database in mid-stream: it never waits for a writer, and gives its connection back at once.

    Rows stay readable outside of it: the session is closed, which detaches them; a rollback would expire them.
    """
    with read_only():
        try:
            yield
        finally:
            db.session.close()


def _stored(message: Message, from_char: int) -> Iterator[StreamEvent]:
    start = min(from_char, len(message.content))
    if message.content[start:]:
        yield Delta(start, len(message.content), message.content[start:])
    reason = _REASONS[Status(message.status)]
    error = None
    if reason in _BROKEN_OFF:
        error = ChatFailure(message.error_code or reason, _sentence(message))
    yield Ended(settled_of(message), error, reason)


def _sentence(message: Message) -> str:
    if message.status == Status.INTERRUPTED:
        return "The answer was interrupted. What had arrived is kept; send a message to go on."
    return rules.ending_sentence(message.error_code)


def settled_of(message: Message) -> Settled:
    """A settlement as the message remembers it."""
    return Settled(
        call_id=message.id,
        prompt_tokens=message.prompt_tokens,
        cached_tokens=message.cached_tokens,
        completion_tokens=message.completion_tokens,
        reasoning_tokens=0,
        credits_micros=message.credits_micros,
        cost_nano_usd=0,
        balance_after_micros=message.balance_after_micros or 0,
        status=_REASONS[Status(message.status)],
        is_estimated=False,
        transaction_id=None,
        is_replay=True,
    )


def json_events(conversation: Conversation, message: Message, from_char: int, wallet_id: str) -> Iterator[bytes]:
    """The JSON stream: meta, answers, usage, done; or error in place of what could not follow."""
    meta = {"conversation_id": conversation.id, "message_id": message.id}
    reached = from_char
    yield _event("meta", meta, reached)
    for event in told(message, from_char):
        if isinstance(event, Delta):
            reached = event.to_char
            yield _event("answer", {"content": event.text, "finished": False}, reached)
        elif isinstance(event, Heartbeat):
            yield sse.HEARTBEAT
        else:
            yield from _json_end(conversation.id, event, reached, wallet_id)
            return


def _json_end(conversation_id: str, ended: Ended, reached: int, wallet_id: str) -> Iterator[bytes]:
    settled = ended.settled
    if ended.error is None and settled is not None:
        yield _event("answer", {"content": "", "finished": True}, reached)
    if settled is not None and (ended.error is None or settled.credits_micros):
        yield _event("usage", answers.usage_event(conversation_id, settled), reached)
    if ended.error is None and settled is not None:
        yield _event("done", {"conversationId": conversation_id, "status": ended.reason}, reached)
        return
    failure = ended.error or ChatFailure(
        "not_settled", "The answer has ended; what it costs is settled within half a minute."
    )
    micros = settled.balance_after_micros if settled else _posted(wallet_id)
    yield _event("error", answers.error_event(failure.code, failure.message, micros), reached)


def _posted(wallet_id: str) -> int:
    with looking():
        return ledger.balance(wallet_id).posted_micros


def _event(name: str, payload: Mapping[str, object], event_id: int) -> bytes:
    return sse.event(_JSON.encode(payload), name=name, event_id=event_id)
