"""From what a buyer means to an order's basket, priced now; and the same basket once more.

Laws: the price that a page showed is compared with today's, so that nobody pays more or less than was shown; the key
of a form is how many of the buyer's orders had come to an end when it was drawn. So a double click, a second tab and
the way back find one order, also after it is paid, and the next purchase is a new one.
"""

from __future__ import annotations

from dataclasses import replace

from tokenboard.billing import catalogue_queries, order_service, payment_queries
from tokenboard.billing.basket_forms import CUSTOM, Wish, typed_cents
from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.errors import PriceNotFound
from tokenboard.billing.forms import phone_number
from tokenboard.billing.models import Payment
from tokenboard.billing.order_service import Basket
from tokenboard.billing.price_words import price
from tokenboard.billing.rules import PaymentKind
from tokenboard.core.crypto import token_hash
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import or_none

STRIPE, PAYSTACK, MPESA = "stripe", "paystack", "mpesa"
METHODS = {"USD": (STRIPE, PAYSTACK), "KES": (PAYSTACK, MPESA)}
_CENTS = "amountUsd"  # what the order's own check calls it


def methods(currency: str, modes: dict[str, str]) -> tuple[str, ...]:
    """The ways to pay in a currency, without those whose provider is off. M-Pesa prompts are Paystack's."""
    return tuple(one for one in METHODS[currency] if modes[PAYSTACK if one == MPESA else one] != "off")


def priced(wish: Wish, known: Offer | None = None) -> Basket:
    """What it costs and brings today; `known` is the pack, where it was read already.

    Raises: ValidationFailed, naming the form's fields.
    """
    if wish.method not in METHODS.get(wish.currency, ()):
        raise ValidationFailed({"method": ["Choose how to pay."]})
    if wish.what == CUSTOM:
        return _typed(wish)
    try:
        offer = known or catalogue_queries.offer(wish.what)
        if offer.price.interval is not None:
            raise PriceNotFound
    except PriceNotFound as error:
        raise ValidationFailed({"pack": ["This pack is not for sale any more. Choose another one."]}) from error
    if wish.method == STRIPE:
        return order_service.stripe_basket(offer)
    if offer.price.currency != "usd":
        raise ValidationFailed({"method": ["This pack is sold by card through Stripe only."]})
    basket = order_service.paystack_basket(offer=offer, amount_usd_cents=None, currency=wish.currency)
    return _marked(basket, wish)


def _typed(wish: Wish) -> Basket:
    try:
        cents = typed_cents(wish.amount)
    except ValueError as error:
        raise ValidationFailed({"amount": [str(error)]}) from error
    try:
        if wish.method == STRIPE:
            return order_service.stripe_amount_basket(amount_usd_cents=cents)
        basket = order_service.paystack_basket(offer=None, amount_usd_cents=cents, currency=wish.currency)
    except ValidationFailed as refusal:
        raise ValidationFailed({"amount": refusal.fields[_CENTS]}) from refusal
    return _marked(basket, wish)


def _marked(basket: Basket, wish: Wish) -> Basket:
    """An M-Pesa prompt and Paystack's page are two orders."""
    return replace(basket, return_path=MPESA) if wish.method == MPESA else basket


def agreed(wish: Wish, modes: dict[str, str]) -> Basket:
    """As `priced`, and it is what the buyer was shown; a prompt's phone can ring. Raises: ValidationFailed."""
    if wish.method not in methods(wish.currency or "USD", modes):
        raise ValidationFailed({"method": ["Choose how to pay."]})
    if wish.amount and wish.what != CUSTOM:
        raise ValidationFailed({"amount": ["Choose “Another amount” to buy for this, or empty the field."]})
    basket = priced(wish)
    shown = wish.total if wish.what == CUSTOM else wish.seen
    is_plain = wish.what == CUSTOM and basket.currency == "usd"  # the typed amount is the total
    if not is_plain and shown != str(basket.amount_minor):
        told = price(basket.amount_minor, basket.currency)
        raise ValidationFailed({"total": [f"The total is {told}. Press the button again if you agree."]})
    if wish.method == MPESA and or_none(phone_number, wish.phone) is None:
        raise ValidationFailed({"phone": ["Write a Kenyan mobile number, such as 0712 345 678."]})
    return basket


def form_key(workspace_id: str, person_id: str) -> str:
    """The key of a form that is drawn now."""
    return str(payment_queries.ended_count(workspace_id, person_id))


def intent_key(wish: Wish, person_id: str, basket: Basket) -> str:
    """One person, one form, one basket at one price: one order."""
    facts = (*basket.same, basket.currency, basket.amount_minor, basket.credits_micros, basket.return_path)
    return f"page:{token_hash(repr((person_id, wish.key, *map(str, facts))))}"


def again(payment: Payment) -> Basket:
    """What an order was for, at today's price. Raises: PriceNotFound for what cannot be bought that way any more."""
    if payment.kind not in (PaymentKind.PACK, PaymentKind.CUSTOM, PaymentKind.PLAN):
        raise PriceNotFound
    offer = catalogue_queries.offer(payment.price_provider_id) if payment.price_provider_id else None
    if payment.provider == STRIPE:
        if offer is None:
            return order_service.stripe_amount_basket(amount_usd_cents=payment.amount_usd_cents)
        return order_service.stripe_basket(offer, quantity=payment.quantity)
    basket = order_service.paystack_basket(
        offer=offer,
        amount_usd_cents=None if offer else payment.amount_usd_cents,
        currency=payment.currency.upper(),
    )
    return replace(basket, return_path=MPESA) if is_prompt(payment) else basket


def is_prompt(payment: Payment) -> bool:
    """Whether a phone was to ask for the PIN."""
    return payment.provider == PAYSTACK and payment.return_path == MPESA


def wish_again(payment: Payment) -> Wish:
    """The form as it was filled for an order."""
    cents = payment.amount_usd_cents or 0
    return Wish(
        what=payment.price_provider_id or CUSTOM,
        amount="" if payment.price_provider_id else f"{cents // 100}.{cents % 100:02}",
        currency="KES" if payment.currency == "kes" else "USD",
        method=MPESA if is_prompt(payment) else payment.provider,
    )
