"""What LiteLLM's admin API knows, as frozen facts.

Units: `*_nano` is integer nano-USD; LiteLLM itself counts in floats of USD, so a spend read back is exact to the
nano-dollar and no further. A budget of None is no limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ProxyKey:
    """A key at the proxy. `token` is the SHA-256 of the key in hex: every call takes it in place of the key."""

    token: str
    alias: str
    display: str
    user_id: str | None
    spend_nano: int
    max_budget_nano: int | None
    is_blocked: bool
    models: tuple[str, ...]
    rpm_limit: int | None
    tpm_limit: int | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProxyUser:
    """A user at the proxy: all keys that carry its id share its budget. Ours is a workspace."""

    user_id: str
    spend_nano: int
    max_budget_nano: int | None


@dataclass(frozen=True, slots=True)
class ProxyCustomer:
    """An end user at the proxy, by e-mail. `budget_id` is None for one that traffic made: it has no limit."""

    user_id: str
    spend_nano: int
    budget_id: str | None
    max_budget_nano: int | None


@dataclass(frozen=True, slots=True)
class SpendRecord:
    """One request as the proxy booked it, the same from its callback and from its spend log.

    `request_id` is the key of both feeds: the provider's id of a success, a failure's call id. `call_id` is the one
    that the caller sent, if it sent one.
    """

    request_id: str
    call_id: str
    key_hash: str
    user_id: str
    end_user: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    cost_nano: int
    is_success: bool
    error_code: str
    started_at: datetime
    ended_at: datetime
    first_token_at: datetime | None
    # What a client put into `x-litellm-spend-logs-metadata`; Open WebUI's background calls are told by it.
    marks: tuple[tuple[str, str], ...] = field(default=())
    # Something in it was negative, too large or no number: taken as nothing, and to be told.
    is_odd: bool = False


@dataclass(frozen=True, slots=True)
class SpendPage:
    """One page of the spend log. `unreadable` counts rows without the fields that make a record."""

    records: tuple[SpendRecord, ...]
    rows: int
    unreadable: int = 0
