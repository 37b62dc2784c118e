"""Invoices of the sandbox: drawn up, finalized, collected, tried again, given up.

Laws: a customer's balance pays first and takes what a negative invoice gives back; a renewal's invoice waits an hour
as a draft, as Stripe's do; collection is tried four times over fifteen days, then the subscription ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.sandbox import stripe_long_shapes as shapes, stripe_payments, stripe_shapes
from tokenboard.sandbox.stripe_payments import Declined
from tokenboard.sandbox.stripe_shapes import DAY_SECONDS, Body
from tokenboard.sandbox.stripe_world import World

DRAFT_SECONDS = 3_600
RETRY_DAYS = (3, 5, 7)
TAX_PERCENT = 10


def tax_on(amount: int) -> int:
    """The sandbox's only tax: ten per cent, half up."""
    return (amount * TAX_PERCENT + 50) // 100


@dataclass(frozen=True, slots=True)
class Row:
    """One line to be invoiced."""

    price: Body
    quantity: int
    amount: int
    description: str
    period: tuple[int, int]
    subscription_item: str = ""
    is_proration: bool = False
    credited: Body | None = None


def draw_up(
    world: World,
    customer_id: str,
    reason: str,
    rows: list[Row],
    *,
    subscription: Body | None = None,
    discount: int = 0,
    currency: str = "usd",
    is_draft: bool = False,
) -> Body:
    """A new invoice over these rows, announced as created."""
    customer = world.find("customer", customer_id)
    invoice_id = world.new_id("invoice")
    number = f"SBX-{world.objects.next_number('invoice number'):04d}"
    made = shapes.invoice(
        invoice_id, world.now, customer, currency, reason, number, world.page(f"invoice/{invoice_id}")
    )
    made["lines"]["data"] = [_line(world, invoice_id, row, subscription) for row in rows]
    if subscription:
        made["parent"] = shapes.subscription_details(subscription["id"], dict(subscription["metadata"]))
    is_taxed = bool(subscription and subscription["automatic_tax"]["enabled"])
    _total(made, discount, customer["balance"], is_taxed=is_taxed)
    if is_draft:
        made |= {"status": "draft", "automatically_finalizes_at": world.now + DRAFT_SECONDS}
        made["status_transitions"]["finalized_at"] = None
    world.save(made)
    world.emit("invoice.created", made)
    if not is_draft:
        _announce(world, made)
    return made


def _announce(world: World, invoice: Body) -> None:
    """What becomes true when an invoice is final: the customer's balance moves."""
    customer = world.find("customer", invoice["customer"])
    if customer["balance"] != invoice["ending_balance"]:
        world.change(customer, "customer.updated", balance=invoice["ending_balance"])
    world.emit("invoice.finalized", invoice)


def _line(world: World, invoice_id: str, row: Row, subscription: Body | None) -> Body:
    line_id = world.new_id("line_item")
    made = shapes.invoice_line(line_id, invoice_id, row.price, row.quantity, row.amount, row.description, row.period)
    if subscription:
        made["subscription"] = subscription["id"]
        made["parent"] = shapes.subscription_parent(
            subscription["id"], row.subscription_item, is_proration=row.is_proration, credited=row.credited
        )
    return made


def _total(invoice: Body, discount: int, balance: int, *, is_taxed: bool) -> None:
    subtotal = sum(line["amount"] for line in invoice["lines"]["data"])
    tax = tax_on(subtotal - discount) if is_taxed and subtotal > discount else 0
    total = subtotal - discount + tax
    used = max(0, min(total, -balance)) if total > 0 else total
    invoice |= {"subtotal": subtotal, "subtotal_excluding_tax": subtotal}
    invoice |= {"total": total, "total_excluding_tax": total - tax}
    invoice |= {"starting_balance": balance, "ending_balance": balance + used}
    invoice |= {"amount_due": max(0, total - max(0, used)), "amount_remaining": max(0, total - max(0, used))}
    if discount:
        invoice["total_discount_amounts"] = [{"amount": discount, "discount": "di_Sandbox"}]
    if tax:
        invoice["total_taxes"] = [{"amount": tax, "tax_behavior": "exclusive", "type": "tax_rate_details"}]


def manual(world: World, customer_id: str, amount: int, currency: str) -> Body:
    """An invoice somebody wrote in the dashboard, paid: it hangs on no subscription."""
    product = stripe_shapes.product(world.new_id("product"), world.now, "Consulting", {}, None)
    sold = stripe_shapes.price(world.new_id("price"), world.now, product["id"], currency, amount, None)
    row = Row(sold, 1, amount, "Consulting", (world.now, world.now))
    drawn = draw_up(world, customer_id, "manual", [row], currency=currency)
    collect(world, drawn, default_card_or_new(world, customer_id), is_present=True)
    return drawn


def default_card_or_new(world: World, customer_id: str) -> Body:
    known = stripe_payments.default_card(world, customer_id)
    return known or world.find("payment_method", stripe_payments.save_card(world, customer_id, "success"))


def finalize(world: World, invoice: Body) -> Body:
    """A draft becomes an invoice that can be paid."""
    invoice |= {"status": "open", "automatically_finalizes_at": None, "effective_at": world.now}
    invoice["status_transitions"]["finalized_at"] = world.now
    world.save(invoice)
    _announce(world, invoice)
    return invoice


def intent_of(world: World, invoice: Body) -> Body:
    """The payment intent an invoice is paid by: always the same one."""
    known = world.look("payment_intent", world.private(invoice).get("intent"))
    if known:
        return known
    metadata: dict[str, str] = {}
    made = stripe_payments.new_intent(
        world, invoice["amount_due"], invoice["currency"], invoice["customer"], metadata, "Invoice " + invoice["number"]
    )
    world.note(invoice, intent=made["id"])
    return made


def collect(world: World, invoice: Body, method: Body | None, *, is_present: bool = False) -> bool:
    """Try to get an invoice paid; whether it is now. `is_present`: its person has just agreed."""
    if invoice["amount_due"] == 0:
        settle(world, invoice, None)
        return True
    intent = intent_of(world, invoice)
    try:
        if is_present and method:
            stripe_payments.succeed(world, intent, method["id"], {"type": "card", "card": method["card"]})
        else:
            stripe_payments.take(world, intent, method)
    except Declined as declined:
        _unpaid(world, invoice, declined)
        return False
    settle(world, invoice, intent["id"])
    return True


def settle(world: World, invoice: Body, intent_id: str | None) -> None:
    """An invoice is paid, by this payment intent or by nothing at all."""
    if intent_id:
        payment_id = world.new_id("invoice_payment")
        world.save(shapes.invoice_payment(payment_id, invoice, intent_id, is_paid=True, now=world.now))
    invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
    invoice |= {"attempted": True, "auto_advance": False, "next_payment_attempt": None}
    invoice["attempt_count"] += 1 if intent_id else 0
    invoice["status_transitions"]["paid_at"] = world.now
    world.save(invoice)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)


def _unpaid(world: World, invoice: Body, declined: Declined) -> None:
    attempts = invoice["attempt_count"] + 1
    days = RETRY_DAYS[attempts - 1] if attempts <= len(RETRY_DAYS) else None
    invoice |= {"attempt_count": attempts, "attempted": True}
    invoice["next_payment_attempt"] = None if days is None else world.now + days * DAY_SECONDS
    world.save(invoice)
    world.emit("invoice.payment_failed", invoice)
    if declined.reason == "asks":
        world.emit("invoice.payment_action_required", invoice)


def close(world: World, invoice: Body, status: str) -> None:
    """Nobody will pay this any more: `void` or `uncollectible`."""
    if invoice["status"] not in ("draft", "open"):
        return
    moment = "voided_at" if status == "void" else "marked_uncollectible_at"
    invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"][moment] = world.now
    world.save(invoice)
    world.emit("invoice.voided" if status == "void" else "invoice.marked_uncollectible", invoice)
