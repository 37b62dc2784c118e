"""Refunds and disputes of the sandbox.

A refund counts into `charge.amount_refunded` from its beginning, also while it is pending, and leaves it again when it
fails or is canceled. (How a pending refund shows on the live charge was not observed; the reader must count refunds.)
"""

from __future__ import annotations

from tokenboard.sandbox import stripe_shapes as shapes
from tokenboard.sandbox.stripe_form import Params, Refusal, merged, missing, whole
from tokenboard.sandbox.stripe_shapes import Body
from tokenboard.sandbox.stripe_world import World, wanted

NEXT_REFUND = "stripe|next_refund"
OUTCOMES = ("succeeded", "pending", "failed")
DISPUTE_STATUSES = (
    "under_review",
    "won",
    "lost",
    "warning_under_review",
    "warning_closed",
    "prevented",
    "appeal_needs_response",
    "appeal_under_review",
)
_CLOSED = ("won", "lost", "warning_closed", "prevented")


def charge_of(world: World, params: Params) -> Body:
    """The charge a call names, by itself or by its payment intent."""
    if params.get("charge"):
        return wanted(world, "charge", params["charge"], "charge")
    if not params.get("payment_intent"):
        raise missing("payment_intent")
    intent = wanted(world, "payment_intent", params["payment_intent"], "payment_intent")
    if not intent["latest_charge"]:
        raise Refusal(400, "This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    return world.find("charge", intent["latest_charge"])


def refund(world: World, params: Params, outcome: str) -> Body:
    charged = charge_of(world, params)
    left = charged["amount"] - charged["amount_refunded"]
    if left == 0:
        raise Refusal(400, f"Charge {charged['id']} has already been refunded.", code="charge_already_refunded")
    if charged["disputed"]:
        raise Refusal(400, f"Charge {charged['id']} is disputed and cannot be refunded.", code="charge_disputed")
    amount = whole(params, "amount", least=1)
    amount = left if amount is None else amount
    if amount > left:
        words = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise Refusal(400, words, param="amount")
    made = shapes.refund(world.new_id("refund"), world.now, amount, charged, params.get("reason"))
    made["metadata"] = merged({}, params)
    if outcome != "succeeded":
        made |= {"status": "pending", "pending_reason": "processing"}
    world.save(made)
    _recount(world, charged, amount)
    world.emit("charge.refunded", charged, {"amount_refunded": charged["amount_refunded"] - amount})
    world.emit("refund.created", made)
    return finish_refund(world, made, "failed") if outcome == "failed" else made


def _recount(world: World, charged: Body, difference: int) -> None:
    charged["amount_refunded"] += difference
    charged["refunded"] = charged["amount_refunded"] == charged["amount"]
    world.save(charged)


def finish_refund(world: World, found: Body, status: str) -> Body:
    """A refund succeeds, fails (also after it had succeeded) or is canceled."""
    if found["status"] == status or found["status"] in ("failed", "canceled"):
        return found
    previous = {"status": found["status"]}
    found["status"] = status
    found.pop("pending_reason", None)
    if status in ("failed", "canceled"):
        found["failure_reason"] = "expired_or_canceled_card"
        found["failure_balance_transaction"] = f"txn_{found['id']}_back"
        _recount(world, world.find("charge", found["charge"]), -found["amount"])
    world.save(found)
    if status == "failed":
        world.emit("refund.failed", found, previous)
    world.emit("refund.updated", found, previous)
    return found


def dispute(world: World, params: Params, *, amount: int | None, reason: str, is_inquiry: bool) -> Body:
    charged = charge_of(world, params)
    status = "warning_needs_response" if is_inquiry else "needs_response"
    made = shapes.dispute(world.new_id("dispute"), world.now, amount or charged["amount"], charged, reason, status)
    world.save(made)
    charged["disputed"] = not is_inquiry
    world.save(charged)
    world.emit("charge.dispute.created", made)
    if not is_inquiry:
        world.emit("charge.dispute.funds_withdrawn", made)
    return made


def decide_dispute(world: World, found: Body, status: str) -> Body:
    """The bank says something: the dispute moves on, or is closed."""
    if found["status"] in _CLOSED and not status.startswith("appeal_"):
        raise Refusal(400, f"The dispute is closed: {found['status']}.")
    previous = {"status": found["status"]}
    had_funds = not found["status"].startswith("warning_")
    found["status"] = status
    world.save(found)
    if status not in _CLOSED:
        world.emit("charge.dispute.updated", found, previous)
        return found
    charged = world.find("charge", found["charge"])
    charged["disputed"] = status == "lost"
    world.save(charged)
    world.emit("charge.dispute.closed", found, previous)
    if had_funds and status in ("won", "prevented"):
        world.emit("charge.dispute.funds_reinstated", found)
    return found
