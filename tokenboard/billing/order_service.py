"""Making orders: what is bought, for how much, for how many credits, frozen before the provider hears of it.

Laws: amounts and credits come from our own catalogue and settings, never from the client; the intent key is unique in
the workspace, so that a double click, two tabs and the back button find one order; the same key for something else is
refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.billing import payment_queries as queries
from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.errors import PriceNotFound, SubscriptionExists
from tokenboard.billing.models import Payment
from tokenboard.billing.rules import (
    CUSTOM_LEAST_CENTS,
    CUSTOM_MOST_CENTS,
    PaymentKind,
    PaymentState,
    check_again_after,
    custom_micros,
    kes_minor,
    order_micros,
)
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert
from tokenboard.ledger.errors import IdempotencyConflict
from tokenboard.web.filters import credit_amount
from tokenboard.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Basket:
    """What somebody wants to buy, priced."""

    provider: str
    kind: PaymentKind
    title: str
    amount_minor: int
    currency: str
    credits_micros: int
    multiplier: Decimal = Decimal(1)
    price_provider_id: str | None = None
    quantity: int = 1
    amount_usd_cents: int | None = None
    exchange_rate: str = ""
    return_path: str = ""

    @property
    def same(self) -> tuple[object, ...]:
        """What an intent key stands for. Credits and rate may change between two clicks: the first order keeps its."""
        return self.provider, self.kind, self.price_provider_id, self.quantity, self.amount_usd_cents


def stripe_basket(offer: Offer, *, quantity: int = 1, return_path: str = "") -> Basket:
    """A pack or a plan through Stripe, in the price's own currency."""
    is_plan = offer.price.interval is not None
    multiplier = Decimal(1) if is_plan else settings().credit_purchase_multiplier
    return Basket(
        provider="stripe",
        kind=PaymentKind.PLAN if is_plan else PaymentKind.PACK,
        title=offer.product.name,
        amount_minor=offer.amount_minor * quantity,
        currency=offer.price.currency,
        credits_micros=0 if is_plan else order_micros(offer.credits, quantity, multiplier),
        multiplier=multiplier,
        price_provider_id=offer.price.provider_id,
        quantity=quantity,
        return_path=return_path,
    )


def stripe_amount_basket(*, amount_usd_cents: int | None) -> Basket:
    """A typed amount through Stripe, in dollars. Raises: ValidationFailed."""
    cents, here = checked_cents(amount_usd_cents), settings()
    micros = custom_micros(cents, here.credit_value_usd, here.credit_purchase_multiplier)
    return Basket(
        provider="stripe",
        kind=PaymentKind.CUSTOM,
        title=_amount_title(micros),
        amount_minor=cents,
        currency="usd",
        credits_micros=micros,
        multiplier=here.credit_purchase_multiplier,
        amount_usd_cents=cents,
    )


def paystack_basket(
    *, offer: Offer | None, amount_usd_cents: int | None, currency: str, return_path: str = ""
) -> Basket:
    """A pack or a typed amount through Paystack, in USD or KES. Raises: ValidationFailed, PriceNotFound."""
    multiplier, here = settings().credit_purchase_multiplier, settings()
    if offer is not None:
        if offer.price.interval is not None or offer.price.currency != "usd":
            raise PriceNotFound  # plans and prices in other currencies are Stripe's
        cents, title = offer.amount_minor, offer.product.name
        micros = order_micros(offer.credits, 1, multiplier)
    else:
        cents = checked_cents(amount_usd_cents)
        micros = custom_micros(cents, here.credit_value_usd, multiplier)
        title = _amount_title(micros)
    is_kes = currency.upper() == "KES"
    return Basket(
        provider="paystack",
        kind=PaymentKind.PACK if offer else PaymentKind.CUSTOM,
        title=title,
        amount_minor=kes_minor(cents, here.usd_to_kes_rate) if is_kes else cents,
        currency=currency.lower(),
        credits_micros=micros,
        multiplier=multiplier,
        price_provider_id=offer.price.provider_id if offer else None,
        amount_usd_cents=cents,
        exchange_rate=str(here.usd_to_kes_rate) if is_kes else "",
        return_path=return_path,
    )


def _amount_title(micros: int) -> str:
    """What a typed amount is called, here and on the provider's page."""
    return f"{credit_amount(micros)} credits"


def checked_cents(amount_usd_cents: int | None) -> int:
    """Raises: ValidationFailed outside of $1 to $1,000."""
    if amount_usd_cents is None or not CUSTOM_LEAST_CENTS <= amount_usd_cents <= CUSTOM_MOST_CENTS:
        raise ValidationFailed({"amountUsd": ["An amount is from 1 to 1,000 US dollars."]})
    return amount_usd_cents


def order(*, workspace: Workspace, person: Person | None, basket: Basket, intent_key: str | None = None) -> Payment:
    """The order for this intent: a new one, or the one that was made for it.

    Idempotent: by the intent key; without one, by what is bought while such an order is still open.
    Raises: SubscriptionExists, IdempotencyConflict.
    """
    if basket.kind == PaymentKind.PLAN and queries.live_subscription(workspace.id) is not None:
        raise SubscriptionExists
    key = f"key:{intent_key}" if intent_key else _open_key(workspace, person, basket)
    values = _values(workspace, person, basket) | {"intent_key": key[:255]}
    once = insert(Payment).values(**values).on_conflict_do_nothing(index_elements=["workspace_id", "intent_key"])
    made = db.session.scalar(once.returning(Payment.id))
    found = queries.by_intent_key(workspace.id, key[:255])
    assert found is not None, "inserted, or there before"
    if made is None:
        _require_same(found, basket)
        return found
    facts = {"kind": str(basket.kind), "amount_minor": basket.amount_minor, "currency": basket.currency}
    actor = person.id if person else "auto-topup"
    audit.record("billing.ordered", actor=actor, subject=found.id, workspace_id=workspace.id, facts=facts)
    return found


def _values(workspace: Workspace, person: Person | None, basket: Basket) -> dict[str, Any]:
    at = now()
    first_check = check_again_after(0)
    assert first_check is not None, "an order is asked about at least once"
    return {
        "id": new_id(),
        "workspace_id": workspace.id,
        "person_id": person.id if person else None,
        "provider": basket.provider,
        "kind": basket.kind,
        "state": PaymentState.STARTED,
        "title": basket.title[:255],
        "price_provider_id": basket.price_provider_id,
        "quantity": basket.quantity,
        "amount_minor": basket.amount_minor,
        "currency": basket.currency,
        "amount_usd_cents": basket.amount_usd_cents,
        "credits_micros": basket.credits_micros,
        "multiplier": str(basket.multiplier),
        "exchange_rate": basket.exchange_rate[:20],
        "url": "",
        "return_path": basket.return_path[:500],
        "told": "",
        "receipt_url": "",
        "tax_minor": 0,
        "refund_sum_minor": 0,
        "refunded_minor": 0,
        "disputed_minor": 0,
        "checks": 0,
        "created_at": at,
        "next_check_at": at + first_check,
    }


def _open_key(workspace: Workspace, person: Person | None, basket: Basket) -> str:
    """The same for as long as the order made under it is open: two tabs at once compute one key."""
    who = "workspace" if basket.kind == PaymentKind.PLAN else person.id if person else "nobody"
    what = "plan" if basket.kind == PaymentKind.PLAN else basket.price_provider_id or str(basket.amount_usd_cents)
    base = f"auto:{who}:{basket.provider}:{what}:{basket.quantity}:{basket.currency}:{basket.return_path[:60]}"[:240]
    ended = select(db.func.count()).where(
        Payment.workspace_id == workspace.id,
        Payment.intent_key.startswith(base + ":", autoescape=True),
        Payment.state != PaymentState.STARTED,
    )
    return f"{base}:{db.session.scalar(ended)}"


def _require_same(found: Payment, basket: Basket) -> None:
    before = (
        found.provider,
        PaymentKind(found.kind),
        found.price_provider_id,
        found.quantity,
        found.amount_usd_cents,
    )
    if basket.kind == PaymentKind.PLAN and found.kind == PaymentKind.PLAN and found.intent_key.startswith("auto:"):
        return  # another plan in another tab: the door closes the older checkout first
    if before != basket.same or found.currency != basket.currency:
        raise IdempotencyConflict
