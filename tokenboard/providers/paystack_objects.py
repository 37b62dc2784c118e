"""Paystack's objects as billing needs them: frozen, amounts in subunits (KES 10.00 is 1000) with their currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class PaystackStatus(StrEnum):
    """What a transaction has come to. Only SUCCEEDED credits; only REVERSED takes back."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"  # said no: a new attempt needs a new reference
    ABANDONED = "abandoned"  # not paid (yet): also while the buyer still looks at the page
    PENDING = "pending"  # on its way, or a word we do not know
    REVERSED = "reversed"  # given back in full, by refund or dispute


@dataclass(frozen=True, slots=True)
class PaystackStart:
    """A transaction that was begun: the buyer goes to `authorization_url`."""

    reference: str
    authorization_url: str
    access_code: str


@dataclass(frozen=True, slots=True)
class PaystackTransaction:
    """`requested_amount` is what we asked for; `amount` what was paid, more when the buyer bears the fees."""

    id: int
    reference: str
    status: PaystackStatus
    raw_status: str
    is_live: bool
    amount: int
    requested_amount: int
    currency: str  # lower case
    channel: str | None
    gateway_response: str | None
    paid_at: datetime | None
    created_at: datetime | None
    fees: int
    email: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def mismatch(self, *, reference: str, amount: int, currency: str) -> str | None:
        """Why this payment does not pay that order, or None when it does; says nothing about the status."""
        if self.reference != reference:
            return f"reference {self.reference} is not {reference}"
        if self.currency != currency.lower():
            return f"currency {self.currency} is not {currency.lower()}"
        if self.requested_amount != amount:
            return f"amount asked for {self.requested_amount} is not {amount}"
        if self.amount < self.requested_amount:
            return f"amount paid {self.amount} is less than {self.requested_amount}"
        return None


@dataclass(frozen=True, slots=True)
class PaystackCharge:
    """The state of a direct charge. `display_text` is Paystack's word to the buyer; `message` why it failed."""

    reference: str
    status: PaystackStatus
    raw_status: str
    display_text: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class PaystackRefund:
    """`status`: pending, processing, processed, failed, needs-attention. Only processed ones count.

    `id` is None in most events; `reference` is the transaction's, None where a list only numbers it.
    """

    id: str | None
    reference: str | None
    transaction_id: int | None
    status: str
    amount: int
    currency: str
    refund_reference: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaystackDispute:
    """`status`: awaiting-merchant-feedback, awaiting-bank-feedback, pending, resolved, archived."""

    id: int
    reference: str
    transaction_id: int
    transaction_status: PaystackStatus
    status: str
    resolution: str | None
    amount: int | None
    currency: str | None
    due_at: datetime | None

    @property
    def is_lost(self) -> bool:
        """The money went back to the buyer."""
        is_accepted = self.resolution is not None and self.resolution.endswith("accepted")
        return self.status == "resolved" and (is_accepted or self.transaction_status is PaystackStatus.REVERSED)


@dataclass(frozen=True, slots=True)
class PaystackEvent:
    """One webhook. Paystack gives events no id: `key` is the same for every resend of the same event.

    `foreign` says why it must not be acted upon although it is signed; None for our own.
    """

    key: str
    type: str
    reference: str | None
    object_id: str | None
    is_live: bool
    object: Mapping[str, Any] = field(repr=False)
    foreign: str | None
