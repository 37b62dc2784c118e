"""What we ask of Stripe's checkout, as data, and how that is written in its parameters. Pure.

`payment_method_types` is gone from Checkout in the pinned version: the methods are chosen in Stripe's dashboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

SESSION_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"
_URL_LENGTH_MAX = 5_000


@dataclass(frozen=True, slots=True)
class CatalogueLine:
    """So many of a price of the catalogue."""

    price_id: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class CustomLine:
    """An amount that stands in no catalogue; `unit_amount` in minor units."""

    name: str
    currency: str
    unit_amount: int
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A checkout session to be made. `success_url` holds `{CHECKOUT_SESSION_ID}` as text, not quoted.

    `metadata` is put on the session and on what the session makes (payment intent or subscription): Stripe does not
    copy it, and invoices show the subscription's.
    """

    mode: Literal["payment", "subscription"]
    lines: tuple[CatalogueLine | CustomLine, ...]
    success_url: str
    cancel_url: str
    client_reference_id: str
    customer_id: str | None = None
    customer_email: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None  # 30 minutes to 24 hours from now; None: 24 hours
    allow_promotion_codes: bool = False
    automatic_tax: bool = False
    save_card: bool = False  # payment mode: keep the card for charges without its owner
    trial_days: int | None = None
    locale: str = "auto"

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError("a checkout sells something")
        if "%7B" in self.success_url.upper() or len(self.success_url) > _URL_LENGTH_MAX:
            raise ValueError("success_url holds the placeholder as text: append it after url_for")
        if self.customer_id and self.customer_email:
            raise ValueError("a customer is named by id or by e-mail, not both")


def checkout_params(wanted: CheckoutRequest) -> dict[str, Any]:
    """The parameters of `POST /v1/checkout/sessions`."""
    metadata = dict(wanted.metadata)
    params: dict[str, Any] = {
        "mode": wanted.mode,
        "line_items": [_line(line) for line in wanted.lines],
        "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
        "client_reference_id": wanted.client_reference_id,
        "metadata": metadata,
        "locale": wanted.locale,
        "expand": ["line_items"],
    }
    optional = {
        "customer": wanted.customer_id,
        "customer_email": wanted.customer_email,
        "expires_at": None if wanted.expires_at is None else int(wanted.expires_at.timestamp()),
        "allow_promotion_codes": wanted.allow_promotion_codes or None,
        "automatic_tax": {"enabled": True} if wanted.automatic_tax else None,
        # Stripe computes tax for a known customer only from an address it may keep.
        "customer_update": {"address": "auto"} if wanted.automatic_tax and wanted.customer_id else None,
    }
    params |= {name: value for name, value in optional.items() if value is not None}
    return params | (_intent_part(wanted, metadata) if wanted.mode == "payment" else _plan_part(wanted, metadata))


def _intent_part(wanted: CheckoutRequest, metadata: dict[str, str]) -> dict[str, Any]:
    part: dict[str, Any] = {"metadata": metadata}
    if wanted.save_card:
        part["setup_future_usage"] = "off_session"
    return {"payment_intent_data": part}


def _plan_part(wanted: CheckoutRequest, metadata: dict[str, str]) -> dict[str, Any]:
    part: dict[str, Any] = {"metadata": metadata}
    if wanted.trial_days is not None:
        part["trial_period_days"] = wanted.trial_days
    return {"subscription_data": part}


def _line(line: CatalogueLine | CustomLine) -> dict[str, Any]:
    if isinstance(line, CatalogueLine):
        return {"price": line.price_id, "quantity": line.quantity}
    named = {"currency": line.currency, "unit_amount": line.unit_amount, "product_data": {"name": line.name}}
    return {"price_data": named, "quantity": line.quantity}
