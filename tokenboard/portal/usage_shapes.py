"""Shapes of the answers about usage, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from tokenboard.metering.shapes import Usage
from tokenboard.web.shapes import Count, Credits, Id, Milliseconds, Name, Shape, Tokens, Usd, words

Ending = Annotated[str, words("ok", "stopped", "length", "interrupted", "failed", "refused")]
Dimension = Annotated[str, words("model", "key", "user", "source", "day")]


class UsageSums(Shape):
    """What was used, added up. `usd` is the provider's list price; credits are what was paid."""

    requests: Count
    errors: Count
    prompt_tokens: Tokens
    cached_tokens: Tokens
    completion_tokens: Tokens
    reasoning_tokens: Tokens
    credits: Credits
    usd: Usd
    latency_p50_ms: Milliseconds | None
    latency_p95_ms: Milliseconds | None
    first_token_p50_ms: Milliseconds | None
    first_token_p95_ms: Milliseconds | None


class UsageItem(UsageSums):
    """One line of a breakdown. `key` is null for what belongs to no key or nobody."""

    key: str | None
    name: Name


class UsageLogEntry(Usage):
    """One request with all that is known of it."""

    key_id: Id | None
    key_name: Name | None
    message_id: Id | None
    status: Ending
    error_code: str | None
    cached_tokens: Tokens
    reasoning_tokens: Tokens
    usd: Usd
    first_token_ms: Milliseconds | None
    is_estimated: bool
