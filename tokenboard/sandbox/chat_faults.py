"""Everything that goes wrong at a chat upstream, to order: ask for the model of that name. One list for all who test.

Each entry says what the upstream does, and what a caller must make of it: the error's code (or none, when the answer
ends as if all were well), whether text was given out, and what the provider said about tokens.
`address`: not a model but a place where no upstream answers; give the client that address instead.
Time-outs are the client's own (`ChatLimits`): tests shorten them, the sandbox waits longer than any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Usage = Literal["told", "none", "zero", "odd"]
CLOSED_ADDRESS = "closed"  # a loopback port on which nobody listens
NOWHERE_ADDRESS = "http://nowhere.invalid"  # a name that never resolves (RFC 6761)


@dataclass(frozen=True, slots=True)
class ChatFault:
    """One way to go wrong."""

    name: str
    what: str
    code: str | None = None  # of the client's error; None: the answer ends well
    has_text: bool = False
    usage: Usage = "none"
    address: str = ""
    is_slow: bool = False  # only a time-out ends it


def _before(name: str, code: str, what: str, *, is_slow: bool = False, address: str = "") -> ChatFault:
    return ChatFault(f"fault-{name}", what, code, address=address, is_slow=is_slow)


def _broken(name: str, code: str, what: str, *, is_slow: bool = False, has_text: bool = True) -> ChatFault:
    return ChatFault(f"fault-{name}", what, code, has_text=has_text, is_slow=is_slow)


def _odd(name: str, what: str, usage: Usage = "told", *, has_text: bool = True) -> ChatFault:
    return ChatFault(f"fault-{name}", what, has_text=has_text, usage=usage)


BEFORE_THE_STREAM: tuple[ChatFault, ...] = (
    _before("401", "key_refused", "401: the key is unknown"),
    _before("403", "model_not_found", "403: this key may not use the model"),
    _before("404", "model_not_found", "404: the model is gone"),
    _before("400-context", "context_too_long", "400: more than the model's window"),
    _before("400-content", "content_refused", "400: against the provider's rules"),
    _before("400-database", "upstream_error", "400 auth_error: LiteLLM lost its database"),
    _before("402-budget", "budget_exceeded", "402: a budget, as LiteLLM can be set to say it"),
    _before("413", "too_large", "413: too many bytes"),
    _before("422-budget", "budget_exceeded", "422: a budget, as LiteLLM says it unasked"),
    _before("429", "rate_limited", "429, and when again"),
    _before("429-bare", "rate_limited", "429 without saying when again"),
    _before("500", "upstream_error", "500"),
    _before("502", "upstream_error", "502, a router's page"),
    _before("503", "upstream_error", "503: LiteLLM lost its database"),
    _before("200-error", "rate_limited", "200 as JSON with an error inside"),
    _before("html", "upstream_error", "200 with a page"),
    _before("type", "upstream_error", "200 with another content type"),
    _before("redirect", "upstream_error", "a redirect elsewhere"),
    _before("refused", "upstream_error", "nobody listens there", address=CLOSED_ADDRESS),
    _before("nowhere", "upstream_error", "no such host", address=NOWHERE_ADDRESS),
    _before("hangup", "upstream_error", "the connection ends before any answer"),
    _before("timeout", "upstream_timeout", "no answer in time", is_slow=True),
    _before("gzip-bomb", "upstream_error", "a few KB that unfold to a thousand times as much"),
    _before("empty", "upstream_error", "a stream with nothing in it"),
    _before("error-first", "upstream_error", "a stream whose first event is an error"),
)
IN_MID_STREAM: tuple[ChatFault, ...] = (
    _broken("error", "upstream_error", "an error event after some text, and no [DONE]"),
    _broken("cut", "upstream_error", "the connection ends within the answer"),
    _broken("cut-utf8", "upstream_error", "the connection ends within a character"),
    _broken("end", "upstream_error", "the stream ends properly, but without finish_reason and [DONE]"),
    _broken("silence", "upstream_timeout", "some text, then nothing", is_slow=True),
    _broken("slow-loris", "upstream_timeout", "some text, then a byte now and then", is_slow=True),
    _broken("endless", "upstream_error", "text without end, whatever the limit was"),
    _broken("endless-line", "upstream_error", "some text, then a line without end"),
    _broken("garbage", "upstream_error", "some text, then lines that are no JSON"),
    _odd("no-usage", "no usage although asked for", "none"),
    _odd("zero-usage", "usage of 0 tokens", "zero"),
    _odd("negative-usage", "usage below 0", "odd"),
    _odd("huge-usage", "more tokens than there are", "odd"),
    _odd("string-usage", "usage in words", "odd"),
    _odd("null-usage", "usage null to the end", "none"),
    _odd("usage-twice", "usage told twice; the second one is right"),
    _odd("no-finish", "no finish_reason"),
    _odd("no-done", "no [DONE]"),
    _odd("done-twice", "[DONE] twice, and text after it"),
    _odd("empty-deltas", "deltas without text", has_text=False),
    _odd("reasoning-only", "reasoning and no answer", has_text=False),
    _odd("control", "NUL, escape sequences and half an emoji within the text"),
    _odd("tool-call", "a tool call nobody offered", has_text=False),
    _odd("refusal", "a refusal in the model's own words"),
    _odd("two-choices", "two choices although one was asked for"),
)
FAULTS: tuple[ChatFault, ...] = (*BEFORE_THE_STREAM, *IN_MID_STREAM)
FAULT_NAMED = {fault.name: fault for fault in FAULTS}
