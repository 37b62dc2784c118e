"""Turns an upstream's refusal into the named error it is. Pure: status, type, code and words in, one ChatError out.

Three families are read: OpenAI's `{"error": {"message", "type", "param", "code"}}` (LiteLLM's too, its `code` being a
string), FastAPI's `{"detail": …}` of LiteLLM's other half, and vLLM's `{"object": "error", "message": …}`. Types lie
(a database outage comes as 400 `auth_error`), so status, type, code *and* words decide, in the order below.
Source: reference "LiteLLM proxy", section 3, seen on 1.106.2 in November 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tokenboard.providers import chat_errors as errors
from tokenboard.providers.errors import cleaned
from tokenboard.providers.refusals import retry_after_seconds

_NO_DATABASE = re.compile(r"no_db_connection|can't reach database server|database is temporarily unreachable", re.I)
_BUDGET = re.compile(
    r"budget_exceeded|exceededbudget|budget has been exceeded|insufficient_quota|exceeded your current quota", re.I
)
_CONTEXT = re.compile(
    r"context_length_exceeded|contextwindowexceeded|maximum context length|context window|prompt is too long"
    r"|input is too long|too many input tokens",
    re.I,
)
_CONTENT = re.compile(
    r"content_filter|content_policy|contentpolicyviolation|content management policy|moderation_blocked", re.I
)
_MODEL = re.compile(
    r"model_not_found|key_model_access_denied|invalid model name"
    r"|model .{0,200}(?:does not exist|not found|not available for)",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What an upstream said when it refused."""

    words: str  # type, code and message in one line
    status: int


def refusal(status: int, headers: Mapping[str, str], body: bytes, secret: str = "") -> errors.ChatError:
    """The named error behind an answer that is not 200. `headers` have names in lower case."""
    said = Said(_words(_loaded(body), body), status)
    return _kind(said)(
        cleaned(said.words, secret),
        upstream_status=status,
        retry_after_seconds=retry_after_seconds(headers.get("retry-after")),
    )


def error_within(answer: Mapping[str, Any], secret: str = "") -> errors.ChatError | None:
    """The error an event, or an answer with status 200, carries; None when it carries none."""
    told = answer.get("error")
    if not told and answer.get("object") != "error":
        return None
    inner = told if isinstance(told, dict) else answer
    code = str(inner.get("code") or inner.get("status_code") or "")
    status = int(code) if re.fullmatch(r"[45]\d\d", code) else None
    words = _words(answer, b"")
    # Without a status the words may speak for the request as a 400 would; else it is the provider's own trouble.
    kind = _kind_by_words(Said(words, status or 400)) or _kind_by_status(Said(words, status or 500))
    return kind(cleaned(words, secret), upstream_status=status)


def _kind(said: Said) -> type[errors.ChatError]:
    return _kind_by_words(said) or _kind_by_status(said)


def _kind_by_words(said: Said) -> type[errors.ChatError] | None:
    if _NO_DATABASE.search(said.words):
        return errors.ChatUnavailable
    if said.status == 402 or _BUDGET.search(said.words):
        return errors.BudgetExceeded
    if said.status >= 500 or said.status == 429:
        return None  # what a broken server says about models and contexts is no verdict on the request
    if _CONTEXT.search(said.words):
        return errors.ContextTooLong
    if _CONTENT.search(said.words):
        return errors.ContentRefused
    return errors.ModelNotFound if said.status == 404 or _MODEL.search(said.words) else None


def _kind_by_status(said: Said) -> type[errors.ChatError]:
    if said.status in (408, 504, 524):
        return errors.ChatTimedOut
    if said.status >= 500:
        return errors.ChatUnavailable
    exact = {
        401: errors.KeyRefused,
        403: errors.KeyRefused,
        413: errors.RequestTooLarge,
        429: errors.ChatRateLimited,
    }
    return exact.get(said.status, errors.ChatRefused if said.status >= 400 else errors.ChatBadAnswer)


def _loaded(body: bytes) -> Any:
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def _words(answer: Any, body: bytes) -> str:
    """Type, code and message, whichever shape they come in; else the text itself, unless it is a page."""
    if not isinstance(answer, dict):
        text = body.decode("utf-8", "replace")
        return "" if text.lstrip().startswith("<") else text
    told = answer.get("error") or answer.get("detail") or answer
    if isinstance(told, dict) and isinstance(told.get("error"), str | dict):
        told = told["error"]
    if isinstance(told, list):
        told = told[0] if told else ""
    if not isinstance(told, dict):
        return str(told)
    said = (told.get(name) for name in ("type", "code", "message", "msg"))
    return " ".join(str(part) for part in said if part)
