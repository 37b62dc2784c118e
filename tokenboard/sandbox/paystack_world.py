"""What happens at Paystack in the sandbox: transactions begun and paid, phones that ring, refunds, disputes.

Laws: a reference is used once; an unpaid transaction is called abandoned (also while its buyer still looks at the
page); a phone rings for 180 seconds; there is no event for a failure; a refund made is `pending` and processed a minute
later unless the control API decides otherwise; a transaction refunded in full is `reversed`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tokenboard.sandbox import paystack_shapes as shapes
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.payments import Payments, payments
from tokenboard.sandbox.paystack_shapes import Body
from tokenboard.sandbox.store import Store

PROMPT_SECONDS = 180
REFUND_SECONDS = 60
FEE_PERMILLE = 29
TRANSACTION, REFUND, DISPUTE = "paystack.transaction", "paystack.refund", "paystack.dispute"
_FIRST_NUMBER = 4_099_260_000  # past 32 bits, as the live ids are
_REFERENCE = re.compile(r"[A-Za-z0-9.=_-]{1,100}")
_CURRENCIES, _FEES = "paystack|currencies", "paystack|customer_bears_fees"


class Refused(Exception):
    """Paystack's refusal."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Body = {"status": False, "message": message, **more}


def invalid(message: str, code: str, next_step: str) -> Refused:
    """400 in the long form."""
    return Refused(400, message, meta={"nextStep": next_step}, type="validation_error", code=code)


class World:
    """One request's view of Paystack."""

    def __init__(self, payments: Payments, store: Store, now: int, base_url: str) -> None:
        self.objects = payments.objects
        self.postman = payments.postman
        self.store = store
        self.now = now
        self.base_url = base_url
        self.emitted: list[str] = []

    def page(self, path: str) -> str:
        return f"{self.base_url}/paystack/{path}"

    def number(self) -> int:
        return _FIRST_NUMBER + self.objects.next_number("paystack")

    def find(self, reference: object) -> Body:
        found = self.objects.get(TRANSACTION, str(reference))
        if found is None:
            raise Refused(400, "Transaction reference is invalid")
        return found

    def save(self, found: Body, *, due_at: int | None = None) -> Body:
        self.objects.put(TRANSACTION, found["reference"], found, due_at=due_at)
        return found

    def emit(self, event: Body) -> None:
        """Something happened. Paystack's events have no id; this one is the sandbox's own."""
        event_id = f"paystack-event-{self.objects.next_number('paystack event'):06d}"
        self.objects.put("paystack.event", event_id, event | {"id": event_id})
        self.postman.take("paystack", event_id, event["event"], json.dumps(event, separators=(",", ":")))
        self.emitted.append(event_id)

    def currencies(self) -> list[str]:
        return (self.store.setting(_CURRENCIES) or "KES,USD").split(",")

    def arrange(self, currencies: list[str] | None, customer_bears_fees: bool | None) -> None:
        """Change what the merchant has agreed with Paystack."""
        if currencies is not None:
            self.store.set(_CURRENCIES, ",".join(currencies))
        if customer_bears_fees is not None:
            self.store.set(_FEES, "yes" if customer_bears_fees else None)

    @property
    def customer_bears_fees(self) -> bool:
        return self.store.setting(_FEES) is not None


def world(base_url: str) -> World:
    """What Paystack knows now, everything due having happened."""
    box = sandbox()
    here = World(payments(), box.store, int(box.now().timestamp()), base_url.rstrip("/"))
    while due := here.objects.next_due("paystack.", here.now):
        _happen(here, due[0], due[1])
    return here


def _happen(here: World, kind: str, object_id: str) -> None:
    if kind == TRANSACTION:
        fail(here, here.find(object_id), "Transaction timed out")
    elif found := here.objects.get(kind, object_id):
        move_refund(here, found, "processing" if found["status"] == "pending" else "processed")


def begin(here: World, told: Body) -> Body:
    """A new transaction. Raises: Refused."""
    email, reference = told.get("email"), str(told.get("reference") or f"sbx{here.objects.next_number('reference')}")
    if not isinstance(email, str) or "@" not in email:
        raise invalid("Email Address is required", "missing_params", "Provide all required params")
    currency = str(told.get("currency", "NGN"))
    if currency not in here.currencies():
        raise Refused(400, "Currency not supported by merchant")
    if not _REFERENCE.fullmatch(reference):
        raise invalid("Invalid reference", "invalid_params", "Only -, ., = and alphanumeric characters are allowed")
    if here.objects.get(TRANSACTION, reference):
        step = "Try and create the Transaction or Charge with a new reference"
        raise invalid("Duplicate Transaction Reference", "duplicate_reference", step)
    amount = _amount(told.get("amount"))
    metadata = told.get("metadata") or ""
    made = shapes.transaction(here.number(), reference, here.now, amount, currency, email, metadata)
    if here.customer_bears_fees:
        made["amount"] = amount + _fee(amount)
    return here.save(made)


def _amount(value: object) -> int:
    is_number = type(value) is int or (isinstance(value, str) and re.fullmatch("[0-9]{1,12}", value))
    if not is_number or int(str(value)) < 1:
        raise invalid("Invalid Amount Sent", "invalid_params", "Ensure the amount is a valid number")
    return int(str(value))


def _fee(amount: int) -> int:
    return amount * FEE_PERMILLE // 1000


def pay(here: World, found: Body, channel: str, *, phone: str = "", amount: int | None = None) -> Body:
    """The money comes. `amount`: another sum than was asked for."""
    if found["status"] in ("success", "reversed"):
        return found
    is_card = channel == "card"
    authorization = shapes.card_authorization(found["id"])
    if amount is not None:
        found |= {"amount": amount, "requested_amount": amount}
    found |= {"status": "success", "channel": channel, "paid_at": shapes.iso(here.now), "paidAt": shapes.iso(here.now)}
    found["authorization"] = authorization if is_card else shapes.mpesa_authorization(found["id"], phone)
    found |= {"gateway_response": "Successful" if is_card else "Approved", "fees": _fee(found["amount"])}
    found["message"] = None if is_card else "madePayment"
    found["log"] = shapes.log(here.now, channel, is_success=True)
    here.save(found)
    here.emit(shapes.charge_event(found))
    return found


def fail(here: World, found: Body, words: str) -> Body:
    """The money does not come. No event tells of it."""
    if found["status"] in ("success", "reversed"):
        return found
    found |= {"status": "failed", "gateway_response": words, "message": words}
    found["log"] = shapes.log(here.now, found["channel"], is_success=False)
    return here.save(found)


def ring(here: World, found: Body, phone: str) -> Body:
    """The buyer's phone asks for the PIN."""
    if found["currency"] != "KES":
        raise Refused(400, "M-PESA is only available in KES")
    digits = re.sub(r"\D", "", phone)
    if not re.fullmatch(r"254[17]\d{8}", digits):
        raise invalid("Invalid phone number", "invalid_params", "Send the phone number as +2547XXXXXXXX")
    found |= {"status": "ongoing", "channel": "mobile_money", "gateway_response": "Waiting for the phone"}
    here.save(found, due_at=here.now + PROMPT_SECONDS)
    here.objects.note(TRANSACTION, found["reference"], phone=digits)
    return found


def answer_phone(here: World, found: Body, answer: str) -> Body:
    """`accept`, `decline` or `expire`."""
    if found["status"] != "ongoing":
        return found
    if answer == "accept":
        phone = str(here.objects.private(TRANSACTION, found["reference"])["phone"])
        return pay(here, found, "mobile_money", phone=phone)
    return fail(here, found, "Transaction timed out" if answer == "expire" else "Request cancelled by user")


def refund(here: World, told: Body) -> Body:
    """Raises: Refused."""
    wanted = told.get("transaction")
    found = next(
        (one for one in here.objects.listed(TRANSACTION) if wanted in (one["reference"], one["id"], str(one["id"]))),
        None,
    )
    if found is None:
        raise Refused(404, "Transaction not found")
    done = [one for one in refunds_of(here, found) if one["status"] != "failed"]
    left = found["amount"] - sum(one["amount"] for one in done)
    if found["status"] != "success" or left <= 0:
        raise Refused(400, "Transaction has been fully reversed or was never paid")
    amount = _amount(told["amount"]) if told.get("amount") is not None else left
    if amount > left:
        raise Refused(400, "Refund amount cannot be more than the transaction amount")
    made = shapes.refund(here.number(), here.now, found, amount, str(told.get("merchant_note") or ""))
    _save_refund(here, made)
    here.emit(shapes.refund_event(made, found))
    return made


def refunds_of(here: World, found: Body) -> list[Body]:
    return [one for one in here.objects.listed(REFUND) if one["transaction"]["reference"] == found["reference"]]


def _save_refund(here: World, made: Body) -> None:
    due_at = here.now + REFUND_SECONDS if made["status"] in ("pending", "processing") else None
    here.objects.put(REFUND, str(made["id"]), made, due_at=due_at)


def move_refund(here: World, made: Body, status: str) -> Body:
    """A refund goes on: `processing`, `processed`, `failed` or `needs-attention`."""
    found = here.find(made["transaction"]["reference"])
    made |= {"status": status, "updatedAt": shapes.iso(here.now)}
    made["fully_deducted"] = status == "processed"
    made["deducted_amount"] = made["amount"] if status == "processed" else 0
    _save_refund(here, made)
    processed = sum(one["amount"] for one in refunds_of(here, found) if one["status"] == "processed")
    if status == "processed" and processed == found["amount"]:
        here.save(found | {"status": "reversed"})
    here.emit(shapes.refund_event(made, found))
    return made


def dispute(here: World, found: Body, amount: int | None) -> Body:
    made = shapes.dispute(here.number(), here.now, found, amount or found["amount"])
    here.objects.put(DISPUTE, str(made["id"]), made)
    here.emit({"event": "charge.dispute.create", "data": made})
    return made


def move_dispute(here: World, made: Body, act: str) -> Body:
    """`remind`, or a resolution: `merchant-accepted` and `auto-accepted` lose the money, `declined` keeps it."""
    made["updated_at"] = shapes.iso(here.now)
    if act != "remind":
        made |= {"status": "resolved", "resolution": act, "resolvedAt": shapes.iso(here.now)}
        if act.endswith("accepted"):
            found = here.find(made["transaction"]["reference"])
            is_full = made["refund_amount"] >= found["amount"]
            here.save(found | ({"status": "reversed"} if is_full else {}))
            made["transaction"]["status"] = "reversed"
    here.objects.put(DISPUTE, str(made["id"]), made)
    here.emit({"event": f"charge.dispute.{'remind' if act == 'remind' else 'resolve'}", "data": made})
    return made
