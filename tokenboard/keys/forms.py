"""What programs send to the keys' doors: shapes and limits.

Units: budgets come in US cents of model usage and are kept in micro-credits.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from tokenboard.core.parsing import clean_text
from tokenboard.keys.address_rules import (
    LONGEST_ADDRESS,
    LONGEST_TAG,
    MOST_ADDRESSES,
    MOST_TAGS,
    read_network,
    read_tag,
)
from tokenboard.keys.rules import Limits, Window
from tokenboard.metering.worth import micros_of_cents
from tokenboard.wallet.forms import Expiry, Key
from tokenboard.web.api import Body, Query, limits

LONGEST_NAME, LONGEST_MODEL, MOST_MODELS = 80, 120, 50
LARGEST_CENTS = 10**9
MOST_OVERLAP_MINUTES = 30 * 24 * 60
_WINDOWS = {"total": Window.TOTAL, "1d": Window.DAY, "day": Window.DAY, "30d": Window.MONTH, "month": Window.MONTH}


def _window(text: str) -> str:
    if text not in _WINDOWS:
        raise ValueError("One of: total, day, month.")
    return text


def _model(text: str) -> str:
    return clean_text(text, longest=LONGEST_MODEL, shortest=1)


Name = Annotated[
    str, AfterValidator(lambda text: clean_text(text, longest=LONGEST_NAME, shortest=1)), limits(1, LONGEST_NAME)
]
Models = Annotated[
    list[Annotated[str, AfterValidator(_model), limits(1, LONGEST_MODEL)]], Field(max_length=MOST_MODELS)
]
Cents = Annotated[int, Field(ge=0, le=LARGEST_CENTS)]
Rate = Annotated[int, Field(ge=1, le=10**9)]
Addresses = Annotated[
    list[Annotated[str, AfterValidator(read_network), limits(1, LONGEST_ADDRESS)]], Field(max_length=MOST_ADDRESSES)
]
Tags = Annotated[list[Annotated[str, AfterValidator(read_tag), limits(1, LONGEST_TAG)]], Field(max_length=MOST_TAGS)]
BudgetWindow = Annotated[str, AfterValidator(_window), Field(json_schema_extra={"enum": [*_WINDOWS]})]


class KeysQuery(Query):
    workspace_id: str | None = None
    tag: str | None = Field(None, max_length=LONGEST_TAG)


class NewKeyBody(Body):
    """A key without a budget of its own is limited by the wallet alone; that is a choice, and so is null."""

    workspace_id: str | None = None
    name: Name
    models: Models = Field(default_factory=list)
    max_budget_cents: Cents | None = None
    budget_duration: BudgetWindow = "month"
    rpm_limit: Rate | None = None
    tpm_limit: Rate | None = None
    expires_at: Expiry | None = None
    allowed_ips: Addresses = Field(default_factory=list)
    tags: Tags = Field(default_factory=list)
    idempotency_key: Key | None = None

    def labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.tags))

    def limits(self) -> Limits:
        return Limits(
            max_budget_micros=None if self.max_budget_cents is None else micros_of_cents(self.max_budget_cents),
            window=_WINDOWS[self.budget_duration],
            models=tuple(dict.fromkeys(self.models)),
            rpm_limit=self.rpm_limit,
            tpm_limit=self.tpm_limit,
            expires_at=self.expires_at,
            allowed_ips=tuple(dict.fromkeys(self.allowed_ips)),
        )


class ChangeKeyBody(Body):
    """Only what is named changes; null takes a limit away."""

    name: Name | None = None
    models: Models | None = None
    max_budget_cents: Cents | None = None
    budget_duration: BudgetWindow | None = None
    rpm_limit: Rate | None = None
    tpm_limit: Rate | None = None
    expires_at: Expiry | None = None
    allowed_ips: Addresses | None = None
    tags: Tags | None = None

    def changes(self) -> dict[str, Any]:
        """The columns that change, by name."""
        read: dict[str, Any] = {
            "name": self.name,
            "models": self.models or [],
            "max_budget_micros": None if self.max_budget_cents is None else micros_of_cents(self.max_budget_cents),
            "budget_window": _WINDOWS[self.budget_duration] if self.budget_duration else None,
            "rpm_limit": self.rpm_limit,
            "tpm_limit": self.tpm_limit,
            "expires_at": self.expires_at,
            "allowed_ips": list(dict.fromkeys(self.allowed_ips or [])),
            "tags": list(dict.fromkeys(self.tags or [])),
        }
        sent = {"max_budget_cents": "max_budget_micros", "budget_duration": "budget_window"}
        named = {sent.get(field, field) for field in self.model_fields_set}
        required = {"name", "budget_window"}  # a key always has these
        return {name: read[name] for name in named if name in read and (read[name] is not None or name not in required)}


class RotateBody(Body):
    """For how long the old secret works on, in minutes; 0: it ends at once."""

    overlap_minutes: Annotated[int, Field(ge=0, le=MOST_OVERLAP_MINUTES)] = 60

    def overlap(self) -> timedelta:
        return timedelta(minutes=self.overlap_minutes)
