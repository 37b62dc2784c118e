"""What goes to the chat upstream and what comes back, as values. `chat_client.py` hands all of it on.

Units: prices are nano-USD per million tokens (exact to 1e-15 USD a token), costs nano-USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """How long to wait, and for how much. Tests shorten them; the product uses them as they stand."""

    connect_seconds: float = 5
    connect_attempts: int = 3  # one, and two more where the connection itself failed: then nothing was asked yet
    backoff_seconds: float = 0.1  # before the second attempt; doubled before the third, with jitter
    first_byte_seconds: float = 60  # until the first line of the answer: reasoning models think before they speak
    silence_seconds: float = 30  # between two whole lines; a trickle of bytes is silence
    ending_seconds: float = 5  # for usage and [DONE] once the model said that it finished
    stream_seconds: float = 600
    answer_seconds: float = 300  # for a whole answer that is not streamed
    listing_seconds: float = 20  # for a list of models
    head_bytes_max: int = 65_536
    line_bytes_max: int = 1024 * 1024
    answer_bytes_max: int = 4 * 1024 * 1024  # of text and reasoning
    wire_bytes_max: int = 64 * 1024 * 1024  # with everything around the text: some 220,000 deltas
    body_bytes_max: int = 16 * 1024 * 1024  # of an answer that is not streamed; embeddings are long
    garbage_lines_max: int = 3  # this many unreadable lines end a stream


@dataclass(frozen=True, slots=True)
class ChatCall:
    """One request to an OpenAI-compatible endpoint."""

    call_id: str  # ours; travels as x-litellm-call-id and X-Request-Id
    model: str
    messages: Sequence[Mapping[str, Any]]
    max_output_tokens: int  # always sent, as max_completion_tokens
    end_user: str = ""  # e-mail, lower case: LiteLLM's customer
    options: Mapping[str, Any] = field(default_factory=dict)  # temperature, tools, stop …: allow-listed by the caller
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens as the provider told them, cleaned: never negative, cached <= prompt, reasoning <= completion.

    `is_odd`: something in it was negative, huge or no number. The counts are then bounds and not a bill: what could
    not be read is 0, so whoever charges must set its own count against it.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano_usd: int | None = None  # LiteLLM's usage.cost or x-litellm-response-cost
    is_odd: bool = False


class Piece(NamedTuple):
    """Everything that one read brought, already merged."""

    text: str = ""  # content deltas joined; may be ""
    # Reasoning deltas joined, and what else is billed as output but not shown: tool calls, further choices.
    reasoning: str = ""
    finish_reason: str | None = None
    usage: TokenUsage | None = None
    events: tuple[bytes, ...] = ()  # the raw `data:` payloads without [DONE], for the gateway to pass on
    is_done: bool = False  # [DONE] was seen


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer that was not streamed."""

    body: Mapping[str, Any]
    usage: TokenUsage | None
    text: str
    headers: Mapping[str, str]  # names in lower case
    reasoning: str = ""
    finish_reason: str | None = None
    raw: bytes = field(default=b"", repr=False)  # the body as it came, for the gateway to pass on


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model on offer. A price of None is unknown, which is not free."""

    id: str
    mode: str  # chat, embedding …
    input_nano_per_mtok: int | None
    cached_input_nano_per_mtok: int | None
    output_nano_per_mtok: int | None
    max_input_tokens: int | None
    max_output_tokens: int | None
    provider: str
