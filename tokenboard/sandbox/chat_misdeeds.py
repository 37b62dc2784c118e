"""How the faults of chat_faults.py are done: answers in place of an answer, and streams that go wrong."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from flask import Response

from tokenboard.sandbox.chat_asked import Asked
from tokenboard.sandbox.chat_replies import Reply
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.litellm_shapes import error_object, event, passed_on, refused

_SILENT_SECONDS = 120.0  # past any client's patience
_LORIS_SECONDS = 0.02
_TEXTS_BEFORE = 12
_BOMB_BYTES = 4 * 1024 * 1024
_PAGE = "<!doctype html><title>502</title><h1>Bad gateway</h1>"
_BROKE = "litellm.APIConnectionError: APIConnectionError: OpenAIException - upstream broke mid-stream"
_NO_DATABASE = "Service Unavailable, the authentication database is temporarily unreachable. Please retry shortly."
_CONTEXT = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
_BUDGET = "Budget has been exceeded! Key=chat (sk-...b0x) Current cost: 5.27e-05, Max budget: 4e-05"

Before = Callable[[Asked], Response]
Midway = Callable[[Reply], Iterator[bytes]]


def _events(*payloads: object) -> Response:
    return Response(b"".join(event(one) for one in payloads), content_type="text/event-stream; charset=utf-8")


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    return gzip.compress(b"data: " + b"x" * _BOMB_BYTES)


def _hangup(asked: Asked) -> Response:
    Reply(asked).hang_up()
    return answer({})


def _timeout(asked: Asked) -> Response:
    Reply(asked).keep_silent(_SILENT_SECONDS)
    return answer({}, 504)


def _gone(asked: Asked) -> Response:
    return passed_on(404, "NotFoundError", "The model does not exist", "invalid_request_error", asked.model.name)


def _context(asked: Asked) -> Response:
    return passed_on(400, "ContextWindowExceededError", _CONTEXT, "invalid_request_error", asked.model.name)


def _content(asked: Asked) -> Response:
    words = "Your request was rejected as a result of our safety system."
    return passed_on(400, "ContentPolicyViolationError", words, "invalid_request_error", asked.model.name)


def _throttled(asked: Asked) -> Response:
    return refused(429, "Rate limit exceeded for api_key", "throttling_error", retry_after="7")


def _cooling(asked: Asked) -> Response:
    words = "No deployments available for selected model, Try again in 5 seconds."
    return refused(429, words, "all_deployments_in_cooldown")


def _failed(asked: Asked) -> Response:
    return passed_on(500, "InternalServerError", "upstream says 500", "internal_server_error", asked.model.name)


def _packed(_: Asked) -> Response:
    told = Response(_bomb(), content_type="text/event-stream")
    told.headers["Content-Encoding"] = "gzip"
    return told


_BEFORE: dict[str, Before] = {
    "fault-401": lambda _: refused(401, "Authentication Error, Invalid proxy server token passed.", "auth_error"),
    "fault-403": lambda asked: refused(
        403,
        f"The requested model '{asked.model.name}' is not available for this API key.",
        "key_model_access_denied",
        param="model",
    ),
    "fault-404": _gone,
    "fault-400-context": _context,
    "fault-400-content": _content,
    "fault-400-database": lambda _: refused(
        400, "Authentication Error, Can't reach database server at `127.0.0.1`:`5432`", "auth_error", param="None"
    ),
    "fault-402-budget": lambda _: refused(402, _BUDGET, "budget_exceeded"),
    "fault-413": lambda _: Response("Request Entity Too Large", 413, content_type="text/plain"),
    "fault-422-budget": lambda _: refused(422, _BUDGET, "budget_exceeded"),
    "fault-429": _throttled,
    "fault-429-bare": _cooling,
    "fault-500": _failed,
    "fault-502": lambda _: Response(_PAGE, 502, content_type="text/html"),
    "fault-503": lambda _: refused(503, _NO_DATABASE, "no_db_connection", param="None"),
    "fault-200-error": lambda _: answer({"error": error_object("slow down", "throttling_error", code="429")}),
    "fault-html": lambda _: Response("<!doctype html><title>Welcome</title>", content_type="text/html"),
    "fault-type": lambda _: Response("data: {}\n\n", content_type="text/plain"),
    "fault-redirect": lambda _: Response("", 307, headers={"Location": "/elsewhere"}),
    "fault-hangup": _hangup,
    "fault-timeout": _timeout,
    "fault-gzip-bomb": _packed,
    "fault-empty": lambda _: _events(),
    "fault-error-first": lambda _: _events({"error": error_object(_BROKE, None)}),
}


def before(asked: Asked) -> Response | None:
    """The answer in place of an answer, where this fault strikes before one."""
    fault = _BEFORE.get(asked.fault or "")
    return fault(asked) if fault else None


def _begun(reply: Reply) -> Iterator[bytes]:
    yield from reply.begin()
    yield from reply.texts(_TEXTS_BEFORE)


def _error(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    reply.error = {"error_code": "500", "error_class": "APIConnectionError", "error_message": _BROKE}
    yield event({"error": error_object(_BROKE, None)})


def _cut(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    reply.hang_up()


def _cut_utf8(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    whole = reply.delta(content="äöü 世界")
    yield whole[: whole.index("世".encode()) + 1]
    reply.hang_up()


def _silence(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    reply.keep_silent(_SILENT_SECONDS)


def _slow_loris(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    for byte in reply.delta(content="x" * 5_000):
        yield bytes((byte,))
        reply.keep_silent(_LORIS_SECONDS)
        if reply.asked.here.stopping.is_set():
            return


def _endless(reply: Reply) -> Iterator[bytes]:
    yield from reply.begin()
    while not reply.asked.here.stopping.is_set():
        yield from reply.texts()


def _endless_line(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    yield b"data: "
    while not reply.asked.here.stopping.is_set():
        yield b"x" * 65_536


def _garbage(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    for nonsense in ("}{", "<html>", '{"choices": [', "NaN"):
        yield event(nonsense)
    yield from reply.ending()


def _with_usage(change: Callable[[dict[str, Any]], object]) -> Midway:
    """A good answer with another usage."""

    def told(reply: Reply) -> Iterator[bytes]:
        yield from _begun(reply)
        yield from reply.ending(change(reply.usage()))

    return told


def _all_as(value: object) -> Callable[[dict[str, Any]], object]:
    return lambda _: {"prompt_tokens": value, "completion_tokens": value, "total_tokens": value}


def _without(ending: Callable[[list[bytes]], list[bytes]]) -> Midway:
    """A good answer with another end: [finish_reason, usage, DONE] rearranged."""

    def told(reply: Reply) -> Iterator[bytes]:
        yield from _begun(reply)
        yield from ending(list(reply.ending()))

    return told


def _usage_twice(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    finish, usage, done = reply.ending()
    yield from (finish, reply.usage_event({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}), usage, done)


def _done_twice(reply: Reply) -> Iterator[bytes]:
    yield from _begun(reply)
    yield from reply.ending()
    yield reply.delta(content=" and more")
    yield event("[DONE]")


def _saying(*deltas: dict[str, Any], reason: str = "stop") -> Midway:
    """An answer of these deltas, a token each."""

    def told(reply: Reply) -> Iterator[bytes]:
        yield from reply.begin()
        for inner in deltas:
            reply.sent_tokens += 1
            yield reply.delta(**inner)
        yield from reply.ending(reason=reason)

    return told


def _two_choices(reply: Reply) -> Iterator[bytes]:
    yield from reply.begin()
    choices = [{"index": n, "delta": {"content": f"choice {n}"}} for n in (0, 1)]
    reply.sent_tokens += 4
    yield event({"id": reply.asked.request_id, "object": "chat.completion.chunk", "choices": choices})
    yield from reply.ending()


_CALLING = {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "look_up"}}]}
_ARGUING = {"tool_calls": [{"index": 0, "function": {"arguments": '{"query": "weather"}'}}]}
_MIDWAY: dict[str, Midway] = {
    "fault-error": _error,
    "fault-cut": _cut,
    "fault-cut-utf8": _cut_utf8,
    "fault-end": _begun,
    "fault-silence": _silence,
    "fault-slow-loris": _slow_loris,
    "fault-endless": _endless,
    "fault-endless-line": _endless_line,
    "fault-garbage": _garbage,
    "fault-no-usage": _without(lambda end: [end[0], end[-1]]),
    "fault-zero-usage": _with_usage(_all_as(0)),
    "fault-negative-usage": _with_usage(_all_as(-50)),
    "fault-huge-usage": _with_usage(_all_as(10**18)),
    "fault-string-usage": _with_usage(_all_as("many")),
    "fault-null-usage": _with_usage(lambda _: None),
    "fault-usage-twice": _usage_twice,
    "fault-no-finish": _without(lambda end: end[1:]),
    "fault-no-done": _without(lambda end: end[:-1]),
    "fault-done-twice": _done_twice,
    "fault-empty-deltas": _saying(*({"content": ""} for _ in range(5))),
    "fault-reasoning-only": _saying(*({"reasoning_content": "hm "} for _ in range(5))),
    "fault-control": _saying({"content": "a\x00b\x1b[31mc"}, {"content": "half \ud83d"}, {"content": "\ude00 whole"}),
    "fault-tool-call": _saying(_CALLING, _ARGUING, reason="tool_calls"),
    "fault-refusal": _saying({"refusal": "I can't help with that."}, reason="content_filter"),
    "fault-two-choices": _two_choices,
}


def midway(reply: Reply) -> Iterator[bytes]:
    """The answer's events, gone wrong where the request asks for it."""
    act = _MIDWAY.get(reply.asked.fault or "")
    return act(reply) if act else reply.whole()
