"""Paystack's objects with every key it sends. Pure.

Source: Paystack's OpenAPI file and the documented samples of answers and events; the values are our own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Body = dict[str, Any]
INTEGRATION = 412_829


def iso(moment: int) -> str:
    """An instant as Paystack writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def customer(customer_id: int, email: str) -> Body:
    return {
        "id": customer_id,
        "first_name": None,
        "last_name": None,
        "email": email,
        "customer_code": f"CUS_sbx{customer_id:012d}",
        "phone": None,
        "metadata": None,
        "risk_action": "default",
        "international_format_phone": None,
    }


def transaction(
    number: int, reference: str, moment: int, amount: int, currency: str, email: str, metadata: object
) -> Body:
    """A transaction as `verify` tells it, before anybody paid: Paystack calls that abandoned."""
    return {
        "id": number,
        "domain": "test",
        "status": "abandoned",
        "reference": reference,
        "receipt_number": None,
        "amount": amount,
        "message": None,
        "gateway_response": "The transaction was not completed",
        "paid_at": None,
        "created_at": iso(moment),
        "channel": "card",
        "currency": currency,
        "ip_address": "127.0.0.1",
        "metadata": metadata,
        "log": None,
        "fees": None,
        "fees_split": None,
        "authorization": {},
        "customer": customer(number % 1_000_000, email),
        "plan": None,
        "split": {},
        "order_id": None,
        "paidAt": None,
        "createdAt": iso(moment),
        "requested_amount": amount,
        "pos_transaction_data": None,
        "source": None,
        "fees_breakdown": None,
        "connect": None,
        "transaction_date": iso(moment),
        "plan_object": {},
        "subaccount": {},
    }


def card_authorization(number: int) -> Body:
    return {
        "authorization_code": f"AUTH_sbx{number}",
        "bin": "408408",
        "last4": "4081",
        "exp_month": "12",
        "exp_year": "2034",
        "channel": "card",
        "card_type": "visa",
        "bank": "TEST BANK",
        "country_code": "KE",
        "brand": "visa",
        "reusable": True,
        "signature": f"SIG_sbx{number}",
        "account_name": None,
    }


def mpesa_authorization(number: int, phone: str) -> Body:
    return card_authorization(number) | {
        "bin": f"{phone[-9:-6]}XXX",
        "last4": f"X{phone[-3:]}",
        "exp_year": "9999",
        "channel": "mobile_money",
        "card_type": "",
        "bank": "M-PESA",
        "brand": "M-pesa",
        "reusable": False,
    }


def log(moment: int, channel: str, *, is_success: bool) -> Body:
    words = "Successfully paid" if is_success else "Tried to pay"
    history = [
        {"type": "action", "message": f"Attempted to pay with {channel}", "time": 3},
        {"type": "success" if is_success else "error", "message": f"{words} with {channel}", "time": 4},
    ]
    counts = {"start_time": moment, "time_spent": 4, "attempts": 1, "errors": 0 if is_success else 1}
    return counts | {"success": is_success, "mobile": False, "input": [], "history": history}


_EVENT_KEYS = (
    "id domain status reference amount message gateway_response paid_at created_at channel currency ip_address"
    " metadata log fees fees_split authorization customer paidAt requested_amount"
).split()


def charge_event(found: Body) -> Body:
    """`charge.success`."""
    about = {name: found[name] for name in _EVENT_KEYS}
    about["customer"] = {
        name: value for name, value in found["customer"].items() if name != "international_format_phone"
    }
    about |= {"plan": {}, "subaccount": {}, "subaccount_group": {}}
    about["metadata"] = found["metadata"] or ""
    return {"event": "charge.success", "data": about}


def listed_transaction(found: Body) -> Body:
    """A transaction as the list tells it."""
    named = ("authorization_code bin last4 exp_month exp_year channel card_type bank country_code brand").split()
    authorization = dict.fromkeys([*named, "signature", "account_name"]) | {"reusable": False}
    keys = [*_EVENT_KEYS, "createdAt", "order_id", "source", "connect", "pos_transaction_data"]
    about = {name: found[name] for name in keys}
    about |= {"plan": {}, "split": {}, "subaccount": {}, "authorization": authorization | found["authorization"]}
    about |= {"metadata": found["metadata"] or None, "paidAt": found["paidAt"] or found["createdAt"]}
    return about


def refund(number: int, moment: int, found: Body, amount: int, note: str) -> Body:
    """A refund as creating it answers."""
    about = {
        "id": found["id"],
        "domain": "test",
        "reference": found["reference"],
        "amount": found["amount"],
        "paid_at": found["paid_at"],
        "channel": found["channel"],
        "currency": found["currency"],
        "authorization": {"exp_month": None, "exp_year": None, "account_name": None},
        "customer": {"international_format_phone": None},
        "plan": {},
        "subaccount": {"currency": None},
        "split": {},
        "order_id": None,
        "paidAt": found["paid_at"],
        "pos_transaction_data": None,
        "source": None,
        "fees_breakdown": None,
    }
    return {
        "transaction": about,
        "integration": INTEGRATION,
        "deducted_amount": 0,
        "channel": None,
        "merchant_note": note or f"Refund for transaction {found['reference']} by ada@example.com",
        "customer_note": note or f"Refund for transaction {found['reference']}",
        "status": "pending",
        "refunded_by": "ada@example.com",
        "expected_at": iso(moment + 864_000),
        "currency": found["currency"],
        "domain": "test",
        "amount": amount,
        "fully_deducted": False,
        "id": number,
        "createdAt": iso(moment),
        "updatedAt": iso(moment),
    }


def _spelled_out(customer: Body) -> Body:
    """A customer where Paystack writes empty text instead of null."""
    return {name: "" if value is None else value for name, value in customer.items()}


def listed_refund(made: Body, found: Body) -> Body:
    """A refund as the list tells it: the transaction is its number, its reference stands beside it."""
    plain = "integration id domain currency amount status customer_note merchant_note refunded_by createdAt".split()
    buyer = _spelled_out(found["customer"])
    return {name: made[name] for name in plain} | {
        "transaction": found["id"],
        "dispute": None,
        "settlement": None,
        "refunded_at": made["updatedAt"] if made["status"] == "processed" else None,
        "deducted_amount": made["amount"] if made["status"] == "processed" else 0,
        "fully_deducted": 1 if made["status"] == "processed" else 0,
        "bank_reference": None,
        "transaction_reference": found["reference"],
        "reason": "",
        "customer": buyer,
        "refund_type": "full" if made["amount"] == found["amount"] else "partial",
        "transaction_amount": found["amount"],
        "initiated_by": "ada@example.com",
        "refund_channel": found["channel"],
        "session_id": None,
        "collect_account_number": False,
    }


def refund_event(made: Body, found: Body) -> Body:
    """`refund.*`: the amount is text until a refund fails, the reference comes with the money."""
    status = made["status"]
    is_moved = status in ("processed", "failed", "needs-attention")
    about: Body = {
        "status": status,
        "transaction_reference": found["reference"],
        "refund_reference": f"TRF_sbx{made['id']}" if is_moved else None,
        "amount": str(made["amount"]) if status in ("pending", "processing", "processed") else made["amount"],
        "currency": made["currency"],
        "processor": "instant-transfer",
        "customer": {"first_name": None, "last_name": None, "email": found["customer"]["email"]},
        "integration": INTEGRATION,
        "domain": "test",
    }
    if status == "needs-attention":
        about.pop("processor")
        about |= {"id": str(made["id"])} | {name: made[name] for name in ("customer_note", "merchant_note")}
    return {"event": f"refund.{status}", "data": about}


def listed_dispute(made: Body) -> Body:
    """A dispute as the list tells it: some keys are written another way than in the events."""
    about = made["transaction"] | {"metadata": {"custom_fields": []}, "createdAt": made["transaction"]["created_at"]}
    about |= dict.fromkeys(("source", "fees_breakdown", "connect"))
    told = {name: value for name, value in made.items() if name not in ("created_at", "updated_at")}
    dates = {"createdAt": made["created_at"], "updatedAt": made["updated_at"]}
    return told | dates | {"transaction": about, "customer": _spelled_out(made["customer"])}


def dispute(number: int, moment: int, found: Body, amount: int) -> Body:
    about = {name: found[name] for name in _EVENT_KEYS if name not in ("authorization", "customer", "metadata")}
    about |= {"metadata": "", "authorization": {}, "customer": {"international_format_phone": None}}
    about |= {"plan": {}, "subaccount": {}, "split": {}, "order_id": None, "pos_transaction_data": None}
    complaint = {"sender": found["customer"]["email"], "createdAt": iso(moment)}
    return {
        "id": number,
        "refund_amount": amount,
        "currency": found["currency"],
        "status": "awaiting-merchant-feedback",
        "resolution": None,
        "domain": "test",
        "transaction": about,
        "transaction_reference": None,
        "category": "chargeback",
        "customer": found["customer"],
        "bin": "408408",
        "last4": "4081",
        "dueAt": iso(moment + 86_400),
        "resolvedAt": None,
        "evidence": None,
        "attachments": None,
        "note": None,
        "history": [{"status": "pending", "by": found["customer"]["email"], "createdAt": iso(moment)}],
        "messages": [complaint | {"body": "Customer complained about debit without value"}],
        "created_at": iso(moment),
        "updated_at": iso(moment),
    }
