"""What clients of OpenAI send, read and allow-listed: nothing else of a body goes on to a provider.

Laws: a limit on everything; one answer a request (`n` is 1); how much may come back is always bounded; what a client
says about who pays (`user`, metadata) is not believed.
Source: platform.openai.com/docs/api-reference/chat and /embeddings, read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import json

from tokenboard.core.parsing import parse_json
from tokenboard.gateway.errors import RequestUnusable

MOST_MESSAGES = 2_000
MOST_INPUTS = 2_048  # texts of one embedding call, as OpenAI allows
LONGEST_MODEL = 120
LARGEST_OUTPUT = 1_000_000
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_PASSED_ON = (
    "temperature",
    "top_p",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
    "verbosity",
    "logprobs",
    "top_logprobs",
)
_EMBEDDING_PASSED_ON = ("encoding_format", "dimensions")


@dataclass(frozen=True, slots=True)
class ChatAsked:
    """A chat completion as it was asked for."""

    model: str
    messages: list[dict[str, Any]]
    max_output_tokens: int | None
    is_stream: bool
    wants_usage: bool
    options: dict[str, Any]
    # Bytes of tools and the like, which are input too.
    extra_bytes: int


@dataclass(frozen=True, slots=True)
class EmbeddingAsked:
    """Texts to embed, and the body that goes on."""

    model: str
    texts: list[str]
    body: dict[str, Any]


def read_body(raw: bytes) -> dict[str, Any]:
    """Raises: RequestUnusable."""
    try:
        found = parse_json(raw)
    except ValueError as error:
        raise RequestUnusable(f"The body cannot be read. {error}") from error
    if not isinstance(found, dict):
        raise RequestUnusable("The body is a JSON object.")
    return found


def read_chat(body: Mapping[str, Any]) -> ChatAsked:
    """Raises: RequestUnusable, naming the field."""
    if body.get("n") not in (None, 1):
        raise RequestUnusable("One answer a request: leave n out, or set it to 1.", param="n")
    options = {name: body[name] for name in _PASSED_ON if body.get(name) is not None}
    return ChatAsked(
        model=_model(body),
        messages=_messages(body),
        max_output_tokens=_output_limit(body),
        is_stream=body.get("stream") is True,
        wants_usage=isinstance(body.get("stream_options"), dict)
        and body["stream_options"].get("include_usage") is True,
        options=options,
        extra_bytes=len(json.dumps(options).encode()) if options else 0,
    )


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= LONGEST_MODEL:
        raise RequestUnusable("Name a model, as GET /v1/models lists them.", param="model")
    return model


def _messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = body.get("messages")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_MESSAGES:
        raise RequestUnusable(f"messages is a list of 1 to {MOST_MESSAGES:,}.", param="messages")
    for number, message in enumerate(given):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise RequestUnusable(f"Message {number} needs a role.", param=f"messages[{number}].role")
        _require_text(message.get("content"), number)
    return given


def _require_text(content: object, number: int) -> None:
    """Text, or parts of text. Pictures and sound have no bound on what they cost, so they are not taken."""
    if content is None or isinstance(content, str):
        return
    parts = content if isinstance(content, list) else [None]
    if not all(isinstance(part, dict) and part.get("type") in ("text", "refusal") for part in parts):
        raise RequestUnusable("Only text can be sent here for now.", param=f"messages[{number}].content")


def _output_limit(body: Mapping[str, Any]) -> int | None:
    value = body.get("max_completion_tokens", body.get("max_tokens"))
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= LARGEST_OUTPUT:
        raise RequestUnusable("max_completion_tokens is a whole number above 0.", param="max_completion_tokens")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def read_embedding(body: Mapping[str, Any]) -> EmbeddingAsked:
    """Raises: RequestUnusable, naming the field."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 0 < len(texts) <= MOST_INPUTS or not all(map(_is_text, texts)):
        raise RequestUnusable(f"input is a text, or a list of 1 to {MOST_INPUTS:,} texts.", param="input")
    model = _model(body)
    more = {name: body[name] for name in _EMBEDDING_PASSED_ON if body.get(name) is not None}
    return EmbeddingAsked(model, texts, {"model": model, "input": given} | more)
