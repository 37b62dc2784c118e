"""Turns an HTTP refusal into the named error it is. Pure: status, headers and text in, one ProviderError out.

Providers disagree with themselves: a missing scope comes as 403 or 401, as `{"error": {"message": …}}` or as
`{"error": "<bare string>"}` (both recorded in 2026). So a refusal is read by status *and* text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime

from tokenboard.core import clock
from tokenboard.providers.errors import (
    BalanceRefused,
    KeyLacksScope,
    KeyRefused,
    NotAvailable,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
    Upstream,
    WrongKeyKind,
    cleaned,
)

_SCOPE_WORDS = re.compile(r"missing scopes|insufficient permissions|permission_error", re.IGNORECASE)
_SESSION_WORDS = re.compile(r"session key", re.IGNORECASE)
_RETRY_AFTER_MAX_SECONDS = 86_400


def refusal(
    upstream: Upstream,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    secret: str,
) -> ProviderError:
    """The named error behind an answer with a 4xx or 5xx status."""
    words = _words(body)
    kind = _kind(upstream, status, words, secret)
    wait = retry_after_seconds(headers.get("Retry-After"))
    return kind(upstream, status=status, detail=cleaned(words, secret), retry_after_seconds=wait)


def _kind(upstream: Upstream, status: int, words: str, secret: str) -> type[ProviderError]:
    if status in (401, 403):
        return _key_problem(upstream, status, words, secret)
    if status == 429:
        return RateLimited
    if status == 408:
        return ProviderTimeout
    if status == 404:
        return NotAvailable
    return ProviderUnavailable if status >= 500 else RequestRefused


def _key_problem(upstream: Upstream, status: int, words: str, secret: str) -> type[ProviderError]:
    if _SESSION_WORDS.search(words):
        return BalanceRefused
    if secret.startswith(upstream.wrong_key_prefixes):
        return WrongKeyKind
    if status == 403 or _SCOPE_WORDS.search(words):
        return KeyLacksScope
    return KeyRefused


def _words(body: bytes) -> str:
    """What the provider says: the error's type and message, whichever shape they come in, else the text itself."""
    text = body.decode("utf-8", "replace")
    try:
        answer = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation):
        return "" if text.lstrip().startswith("<") else text
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(error, str):
        return error
    if isinstance(error, dict):
        said = [error.get(name) for name in ("code", "type", "message")]
        return " ".join(part for part in said if isinstance(part, str))
    return ""


def retry_after_seconds(value: str | None) -> int | None:
    """`Retry-After` as whole seconds from now: a number or an HTTP date. None when absent or nonsense."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), _RETRY_AFTER_MAX_SECONDS)
    seconds = _seconds_until(text)
    return None if seconds is None else max(0, min(seconds, _RETRY_AFTER_MAX_SECONDS))


def _seconds_until(text: str) -> int | None:
    try:
        instant: datetime = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if instant.tzinfo is None:
        return None
    return round((instant - clock.now()).total_seconds())
