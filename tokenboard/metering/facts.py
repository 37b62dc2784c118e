"""What passes between metering and the rooms above it: orders, open calls, outcomes, settlements, usage.

Units: prices are nano-USD per million tokens, costs nano-USD, charges micro-credits; all integers. A markup is Decimal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from tokenboard.workspaces.models import Workspace

OutcomeKind = Literal["ok", "length", "stopped", "interrupted", "failed"]


class UsageTold(Protocol):
    """Usage as the provider told it (`providers.chat_client.TokenUsage` is one): cleaned, never negative."""

    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...
    @property
    def cached_tokens(self) -> int: ...  # a part of the prompt's
    @property
    def reasoning_tokens(self) -> int: ...  # a part of the completion's
    @property
    def cost_nano_usd(self) -> int | None: ...  # LiteLLM's own reckoning, when it gave one
    @property
    def is_odd(self) -> bool: ...  # something in it was negative, huge or no number


@dataclass(frozen=True, slots=True)
class Price:
    """One version of a model's price. Without a cached price cached tokens cost what others do."""

    id: str
    model: str
    version: int
    mode: str
    input_nano_per_mtok: int
    cached_input_nano_per_mtok: int | None
    output_nano_per_mtok: int
    max_input_tokens: int | None
    max_output_tokens: int | None
    provider: str
    source: str
    # The model's own markup; None: the house's CREDIT_MARKUP.
    markup: Decimal | None


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """A virtual key's budget: it counts in a window (`2026-11`, `2026-11-28`, `total`), with a most or without."""

    key_id: str
    window: str
    most_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Payer:
    """Of a workspace what a call needs, for doors that do not read the whole."""

    id: str
    ledger_account_id: str


@dataclass(frozen=True, slots=True)
class CallOrder:
    """What somebody wants to ask a model."""

    workspace: Workspace | Payer
    person_id: str | None
    source: str
    model: str
    # What will be sent: bounds the input.
    messages: Sequence[Mapping[str, Any]]
    # The caller's wish; None: the model's maximum, at most 4,096.
    max_output_tokens: int | None = None
    call_id: str | None = None
    key_limit: KeyLimit | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    # Whether the answer's text is kept in `call_piece` until the room has taken it.
    keeps_text: bool = False
    is_background: bool = False
    # Tools and the like that are sent beside the messages.
    tool_bytes: int = 0
    # How long it is its process's without a sign of life; a recorder renews it.
    lease_seconds: int = 10


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that may be made: its credits are held."""

    id: str
    wallet_id: str
    workspace_id: str
    model: str
    # None for a model that is free on purpose: there is nothing to hold.
    hold_id: str | None
    held_micros: int
    price: Price
    markup: Decimal
    max_output_tokens: int
    prompt_bytes: int
    prompt_tokens_bound: int
    # The wallet or a cap could pay only for a part: `max_output_tokens` is less than was wished.
    is_shortened: bool
    lease_token: str
    keeps_text: bool
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a call would cost: `low` when it is answered in a few words, `high` at its whole length."""

    low_micros: int
    high_micros: int
    prompt_tokens: int
    max_output_tokens: int
    is_affordable: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended."""

    kind: OutcomeKind
    usage: UsageTold | None = None
    error_code: str = ""
    first_piece_at: datetime | None = None
    # None: what was recorded.
    delivered_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a call has cost, also when it is asked for again."""

    call_id: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    credits_micros: int
    cost_nano_usd: int
    balance_after_micros: int
    status: str
    is_estimated: bool
    transaction_id: str | None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class UsageFact:
    """One request that was made, as it becomes a usage record. `dedupe_key`: `call:<id>` or `litellm:<request id>`."""

    dedupe_key: str
    workspace_id: str
    source: str
    model: str
    status: str
    occurred_at: datetime
    person_id: str | None = None
    key_id: str | None = None
    call_id: str | None = None
    request_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    credits_micros: int = 0
    cost_nano_usd: int = 0
    # What the house took upon itself (docs/metering.md).
    absorbed_micros: int = 0
    price_id: str | None = None
    markup: str = ""
    latency_ms: int | None = None
    first_token_ms: int | None = None
    error_code: str = ""
    is_estimated: bool = False
    is_background: bool = False
    transaction_id: str | None = None
    balance_after_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a batch: the keys that were new, and how many were known already."""

    fresh: frozenset[str]
    duplicates: int
