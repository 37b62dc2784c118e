"""Cards, payment intents and charges of the sandbox.

| card | number | what it does |
| --- | --- | --- |
| `success` | 4242 | pays |
| `declined` · `insufficient_funds` | 0002 · 9995 | refuses, at once |
| `authentication` | 3155 | asks the person once (3-D Secure), then pays, later without asking |
| `fails_later` | 0341 | can be saved and pays the first time; every later charge is declined |
| `authenticates_later` | 3184 | pays the first time; every later charge asks the person |
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.sandbox import stripe_shapes
from tokenboard.sandbox.stripe_form import Params, Refusal, flag, merged, missing, whole
from tokenboard.sandbox.stripe_shapes import Body
from tokenboard.sandbox.stripe_world import World, wanted


@dataclass(frozen=True, slots=True)
class Card:
    """How a card behaves: with the person there, and later without."""

    last4: str
    present: str = "pays"  # pays, asks, or the decline code
    absent: str = "pays"


CARDS = {
    "success": Card("4242"),
    "declined": Card("0002", "generic_decline", "generic_decline"),
    "insufficient_funds": Card("9995", "insufficient_funds", "insufficient_funds"),
    "authentication": Card("3155", "asks"),
    "fails_later": Card("0341", absent="generic_decline"),
    "authenticates_later": Card("3184", absent="asks"),
}
_WORDS = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "asks": "Your card was declined. This transaction requires authentication.",
}


class Declined(Refusal):
    """402: the card did not pay. The payment intent says the same."""

    def __init__(self, reason: str, intent: Body) -> None:
        facts = card_error(reason)
        super().__init__(402, _WORDS[reason], kind="card_error", payment_intent=intent, **facts)
        self.reason = reason
        self.intent = intent


def card_error(reason: str) -> Body:
    """What stands beside the words of a decline."""
    if reason == "asks":
        return {"code": "authentication_required", "decline_code": "authentication_required"}
    return {"code": "card_declined", "decline_code": reason}


def save_card(world: World, customer_id: str, card: str) -> str:
    """Keep a card for a customer, as the new default. Gives the payment method's id."""
    made = stripe_shapes.payment_method(world.new_id("payment_method"), world.now, customer_id, CARDS[card].last4)
    world.save(made)
    world.note(made, card=card)
    owner = world.find("customer", customer_id)
    owner["invoice_settings"]["default_payment_method"] = made["id"]
    world.save(owner)
    return str(made["id"])


def default_card(world: World, customer_id: str) -> Body | None:
    """The payment method a customer's invoices are paid with."""
    owner = world.find("customer", customer_id)
    return world.look("payment_method", owner["invoice_settings"]["default_payment_method"])


def card_of(world: World, method: Body | None) -> Card:
    return CARDS[str(world.private(method)["card"])] if method else CARDS["declined"]


def new_intent(
    world: World, amount: int, currency: str, customer_id: str | None, metadata: dict[str, str], description: str = ""
) -> Body:
    made = stripe_shapes.payment_intent(
        world.new_id("payment_intent"), world.now, amount, currency, customer_id, metadata
    )
    made["description"] = description or None
    return world.save(made)


def succeed(world: World, intent: Body, method_id: str | None, details: Body) -> Body:
    """The money comes: charge and payment intent say so. Gives the charge."""
    charged = stripe_shapes.charge(world.new_id("charge"), world.now, intent, method_id, details)
    charged["receipt_url"] = world.page(f"receipts/{charged['id']}")
    charged["description"] = intent["description"]
    world.save(charged)
    world.emit("charge.succeeded", charged)
    settled = {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charged["id"]}
    settled |= {"payment_method": method_id, "last_payment_error": None, "next_action": None, "processing": None}
    intent.update(settled)
    world.save(intent)
    world.emit("payment_intent.succeeded", intent)
    return charged


def fail(world: World, intent: Body, reason: str) -> Declined:
    """The money does not come. Gives the refusal, for whoever wants to raise it."""
    facts = card_error(reason)
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = facts | {"type": "card_error", "message": _WORDS[reason]}
    world.save(intent)
    world.emit("payment_intent.payment_failed", intent)
    return Declined(reason, intent)


def take(world: World, intent: Body, method: Body | None) -> Body:
    """Charge a saved card without its owner. Gives the charge. Raises: Declined."""
    outcome = card_of(world, method).absent
    if outcome != "pays" or method is None:
        raise fail(world, intent, outcome if method else "generic_decline")
    return succeed(world, intent, method["id"], {"type": "card", "card": method["card"]})


def create_intent(world: World, params: Params) -> Body:
    """POST /v1/payment_intents: with `confirm` and `off_session`, the charge of a saved card."""
    amount = whole(params, "amount", least=1)
    if amount is None:
        raise missing("amount")
    customer_id = wanted(world, "customer", params.get("customer"), "customer")["id"]
    intent = new_intent(
        world,
        amount,
        str(params.get("currency", "usd")).lower(),
        customer_id,
        merged({}, params),
        str(params.get("description", "")),
    )
    world.emit("payment_intent.created", intent)
    if not flag(params, "confirm"):
        return intent
    method = wanted(world, "payment_method", params.get("payment_method"), "payment_method")
    if method["customer"] != customer_id:
        raise Refusal(400, "The payment method does not belong to the customer.", param="payment_method")
    take(world, intent, method)
    return intent
