"""Reads whole answers of a chat upstream: completions, embeddings, lists of models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tokenboard.providers.chat_errors import ChatBadAnswer
from tokenboard.providers.chat_framing import Head
from tokenboard.providers.chat_reading import text_parts, thoughts
from tokenboard.providers.chat_refusals import error_within
from tokenboard.providers.chat_shapes import Completion, ModelInfo
from tokenboard.providers.chat_text import clean
from tokenboard.providers.chat_usage import price_nano_per_mtok, usage_of
from tokenboard.providers.reading import Unreadable, text_of

_TOKENS_MAX = 100_000_000
_MODELS_MAX = 5_000


def object_in(body: bytes, secret: str = "") -> dict[str, Any]:
    """The JSON object of an answer with status 200. Raises: ChatError, also for an error inside it."""
    try:
        answer = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise ChatBadAnswer("the answer is not readable JSON") from error
    if not isinstance(answer, dict):
        raise ChatBadAnswer("the answer is not a JSON object")
    if (failure := error_within(answer, secret)) is not None:
        raise failure
    return answer


def completion_of(head: Head, body: bytes, secret: str = "") -> Completion:
    """A completion or an embedding. Raises: ChatError."""
    answer = object_in(body, secret)
    choice = _first_choice(answer)
    message = choice.get("message")
    told = message if isinstance(message, Mapping) else {}
    shown = text_parts(told.get("content")) + text_parts(told.get("refusal"))
    reason = choice.get("finish_reason")
    return Completion(
        body=answer,
        usage=usage_of(answer.get("usage"), cost=_cost(head)),
        text=clean("".join(shown)),
        headers=head.headers,
        reasoning=clean("".join(thoughts(told) + _further(answer))),
        finish_reason=reason if isinstance(reason, str) else None,
        raw=body,
    )


def _cost(head: Head) -> object:
    return head.headers.get("x-litellm-response-cost") or None


def _choices(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    choices = answer.get("choices")
    return [choice for choice in choices if isinstance(choice, Mapping)] if isinstance(choices, list) else []


def _first_choice(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(_choices(answer)), {})


def _further(answer: Mapping[str, Any]) -> list[str]:
    """The texts of choices after the first: billed, not shown."""
    messages = (choice.get("message") for choice in _choices(answer)[1:])
    return [part for message in messages if isinstance(message, Mapping) for part in text_parts(message.get("content"))]


def models_of_info(answer: Mapping[str, Any]) -> list[ModelInfo]:
    """LiteLLM's /model/info: one entry a deployment, so a model may stand there several times. Raises: ChatError."""
    found: dict[str, ModelInfo] = {}
    for entry in _entries(answer):
        details = entry.get("model_info")
        name = _name(entry.get("model_name"))
        if name and isinstance(details, Mapping):
            model = _model(name, details)
            found[name] = _both(found[name], model) if name in found else model
    return list(found.values())


def models_of_list(answer: Mapping[str, Any]) -> list[ModelInfo]:
    """OpenAI's /models: names without prices. Raises: ChatError."""
    named = ((_name(entry.get("id")), entry) for entry in _entries(answer))
    return [
        ModelInfo(name, str(entry.get("mode") or ""), None, None, None, *_windows(entry), _name(entry.get("owned_by")))
        for name, entry in named
        if name
    ]


def _entries(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = answer.get("data")
    if not isinstance(listed, list):
        raise ChatBadAnswer("the answer lists no models")
    return [entry for entry in listed[:_MODELS_MAX] if isinstance(entry, Mapping)]


def _name(value: object) -> str:
    try:
        return text_of(value, "name") or ""
    except Unreadable:
        return ""


def _model(name: str, details: Mapping[str, Any]) -> ModelInfo:
    return ModelInfo(
        name,
        str(details.get("mode") or ""),
        price_nano_per_mtok(details.get("input_cost_per_token")),
        price_nano_per_mtok(details.get("cache_read_input_token_cost")),
        price_nano_per_mtok(details.get("output_cost_per_token")),
        *_windows(details),
        _name(details.get("litellm_provider")),
    )


def _windows(details: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return _tokens(details.get("max_input_tokens")), _tokens(details.get("max_output_tokens"))


def _tokens(value: object) -> int | None:
    if isinstance(value, Decimal) and value.is_finite():
        value = int(min(value, Decimal(_TOKENS_MAX)))
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return min(value, _TOKENS_MAX) if is_count and isinstance(value, int) else None


def _both(one: ModelInfo, other: ModelInfo) -> ModelInfo:
    """Two deployments of one model: the dearer prices and the smaller windows, because either may answer."""
    return ModelInfo(
        one.id,
        one.mode or other.mode,
        _dearer(one.input_nano_per_mtok, other.input_nano_per_mtok),
        _dearer(one.cached_input_nano_per_mtok, other.cached_input_nano_per_mtok),
        _dearer(one.output_nano_per_mtok, other.output_nano_per_mtok),
        _smaller((one.max_input_tokens, other.max_input_tokens)),
        _smaller((one.max_output_tokens, other.max_output_tokens)),
        one.provider or other.provider,
    )


def _dearer(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _smaller(windows: Iterable[int | None]) -> int | None:
    return min((window for window in windows if window is not None), default=None)
