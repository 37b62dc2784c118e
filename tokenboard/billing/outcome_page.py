"""What /credits says to somebody who comes back from a checkout.

Law: it says what their order really is, whatever the address claims.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tokenboard.billing import history_queries, waiting_page
from tokenboard.billing.basket_service import is_prompt
from tokenboard.billing.models import Payment
from tokenboard.billing.payment_words import can_begin_again, why
from tokenboard.billing.price_words import credits_words, price
from tokenboard.billing.rules import CREDITED_STATES, PaymentState

OUTCOMES = ("success", "pending", "failed", "canceled")
_PLAIN = {
    "success": ("Thank you", "The payment is being looked up. Your credits come by themselves."),
    "pending": ("The payment is on its way", "Your credits come by themselves as soon as the money is there."),
    "failed": ("The payment did not go through", "Nothing was charged."),
    "canceled": ("You left the checkout", "Nothing was charged."),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The banner. `again_href` orders the same once more, for the total on its button; `href` leads on."""

    title: str
    text: str
    tone: str
    href: str = ""
    link_text: str = ""
    again_href: str = ""
    again_label: str = ""
    again_total: int = 0


def order_behind(told: str, workspace_id: str, person_id: str) -> Payment | None:
    """The order that somebody comes back from; nothing is asked when nobody does."""
    return history_queries.latest_order(workspace_id, person_id) if told in OUTCOMES else None


def outcome(told: str, order: Payment | None) -> Outcome | None:
    """The banner for `?payment=…`, by the order's own state where there is one."""
    if told not in OUTCOMES:
        return None
    if order is None:
        title, text = _PLAIN[told]
        return Outcome(title, text, "")
    page = f"{waiting_page.PATH}/{order.id}"
    if order.state in CREDITED_STATES:
        brought = f"{credits_words(order.credits_micros)} for {price(order.amount_minor, order.currency)}."
        return Outcome("Your credits are here", brought, "ok", page, "See the payment")
    if can_begin_again(order):
        again = "" if is_prompt(order) else f"{page}/again"  # a prompt needs a phone, which is asked for there
        label = f"Try again for {price(order.amount_minor, order.currency)}"
        failed = Outcome("The payment did not go through", why(order), "bad", page, "See the payment")
        return replace(failed, again_href=again, again_label=label, again_total=order.amount_minor)
    if told == "canceled" and order.state == PaymentState.STARTED and order.url:
        amount = price(order.amount_minor, order.currency)
        left = f"Nothing was charged. {order.title} for {amount} can still be paid."
        return Outcome("You left the checkout", left, "", order.url, "Back to the checkout")
    return Outcome(*_PLAIN["pending"], "", page, "See where it is")
