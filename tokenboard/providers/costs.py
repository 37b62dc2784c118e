"""What the costs room asks of any provider, and the shapes it gets back.

Laws: days are UTC days; `end` is always exclusive; money is integer nano-units of its currency, rounded half-even
once per row; a row without an amount is counted, not guessed. Clients read one page at a time, in order, and give
each day once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line of a day's bill."""

    project_id: str | None
    line_item: str | None
    api_key_id: str | None
    amount_nano: int  # nano-units of `currency`; negative for a credit note
    currency: str  # lower case, as ISO 4217
    quantity: Decimal | None = None
    quantity_unit: str | None = None
    model: str | None = None  # only where the provider's bill itself names one (Anthropic)


@dataclass(frozen=True, slots=True)
class CostDay:
    """A UTC day's bill as the provider tells it now; it may tell it differently tomorrow."""

    day: date
    rows: tuple[CostRow, ...]
    rows_without_amount: int = 0

    @property
    def currencies(self) -> frozenset[str]:
        """More than one means: do not add these rows up."""
        return frozenset(row.currency for row in self.rows)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was used on a day, by project, model and key. `input_tokens` is the total: it includes cached ones."""

    kind: str
    project_id: str | None
    model: str | None
    api_key_id: str | None
    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    quantity: int = 0  # what is not tokens, counted in `unit`
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class UsageDay:
    """A UTC day's usage of one kind."""

    day: date
    rows: tuple[UsageRow, ...]


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What a key may read. Costs are a must; without names, ids are shown."""

    can_read_costs: bool
    can_read_names: bool


@dataclass(frozen=True, slots=True)
class ProjectName:
    """A project (OpenAI) or workspace (Anthropic)."""

    id: str
    name: str | None
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class KeyName:
    """An API key's name and its redacted form; never the key."""

    id: str
    name: str | None
    project_id: str | None
    redacted_value: str | None = None


@dataclass(frozen=True, slots=True)
class CreditGrant:
    """Prepaid credit at the provider."""

    id: str
    amount_nano: int
    used_nano: int
    effective_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreditGrants:
    """Prepaid credit at the provider. Granted, used and available count unexpired grants only."""

    granted_nano: int
    used_nano: int
    available_nano: int
    used_ever_nano: int  # expired grants included: never falls, so differences of it are spend
    grants: tuple[CreditGrant, ...]


class CostProvider(Protocol):
    """A provider whose bill can be read with an admin key."""

    @property
    def provider(self) -> str:
        """The provider's slug, as stored in a connection."""

    @property
    def usage_kinds(self) -> tuple[str, ...]:
        """What `usage` may be asked for."""

    def check_key(self) -> KeyCheck:
        """Try the key, quickly. Raises: ProviderError when costs cannot be read."""

    def costs(self, start: date, end: date) -> Iterator[CostDay]:
        """The bill from `start` up to but not including `end`, day by day. Raises: ProviderError."""

    def usage(self, kind: str, start: date, end: date) -> Iterator[UsageDay]:
        """The usage of one kind in the same range. Raises: ProviderError."""

    def projects(self) -> Iterator[ProjectName]:
        """All projects, archived ones too. Raises: ProviderError."""

    def api_keys(self, project_id: str) -> Iterator[KeyName]:
        """One project's keys. Raises: ProviderError."""


class BalanceProvider(Protocol):
    """A provider that may show a prepaid balance to a personal key."""

    def check_balance(self) -> CreditGrants:
        """Try the key on the balance, quickly. Raises: ProviderError, BalanceRefused among them."""

    def credit_grants(self) -> CreditGrants:
        """The prepaid balance, patiently. Raises: ProviderError."""
