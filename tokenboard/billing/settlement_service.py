"""Money has come: turn an order into credits. Webhook, success page, *Check now* and reconciler all end here.

Laws: the order's row is locked first; what was ordered is compared with what was paid before anything is granted;
the business object is the key, so that any number of events, clicks and polls make one grant; ledger entry, grant row,
state and the receipt's letter commit together. Money that has come wins over an order that was called failed or expired
before.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from tokenboard.audit import service as audit
from tokenboard.audit.alerts import raise_alert
from tokenboard.billing import clawback_service, payment_queries as queries, receipt_letters
from tokenboard.billing.errors import Refused
from tokenboard.billing.models import Payment, PaymentGrant
from tokenboard.billing.rules import OPEN_STATES, PaymentState, check_again_after, money_text
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.workspaces.models import Workspace

log = logging.getLogger(__name__)

HOUSES = {"stripe": House.SALES_STRIPE, "paystack": House.SALES_PAYSTACK}
ODD_KIND = "billing.odd_event"


@dataclass(frozen=True, slots=True)
class Paid:
    """What the provider says was paid. `asked_minor` is before discounts and tax, `charged_minor` after both."""

    object_id: str
    currency: str
    asked_minor: int
    charged_minor: int
    tax_minor: int = 0
    payment_intent_id: str | None = None
    paid_at: datetime | None = None
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Lot:
    """Credits to be granted for one business object; a plan's period says which."""

    key: str
    credits_micros: int
    title: str
    subscription_item_id: str | None = None
    price_provider_id: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None


def settle_payment(*, payment_id: str, paid: Paid) -> Payment:
    """Credit an order whose money has come.

    Idempotent: a credited one stays as it is. Raises: Refused when what was paid is not what was ordered.
    """
    payment = queries.locked(payment_id)
    _require_same(payment, paid)
    if payment.credited_at is None:
        _write_paid(payment, paid)
        lot = Lot(f"{payment.provider}:{paid.object_id}", payment.credits_micros, payment.title)
        grant_lots(payment=payment, lots=[lot], category=Category.PAID)
    return payment


def _require_same(payment: Payment, paid: Paid) -> None:
    expected = money_text(payment.amount_minor, payment.currency)
    told = money_text(paid.asked_minor, paid.currency)
    if (payment.amount_minor, payment.currency) != (paid.asked_minor, paid.currency):
        raise Refused(f"The order is for {expected}, but {told} was paid.", payment_id=payment.id)
    if paid.charged_minor < paid.asked_minor - paid.discount_minor:
        came = money_text(paid.charged_minor, paid.currency)
        raise Refused(f"The order is for {expected}, but only {came} came.", payment_id=payment.id)
    if payment.object_id not in (None, paid.object_id):
        raise Refused("The order belongs to another checkout.", payment_id=payment.id)


def _write_paid(payment: Payment, paid: Paid) -> None:
    payment.object_id = paid.object_id
    payment.payment_intent_id = paid.payment_intent_id or payment.payment_intent_id
    payment.charged_minor = paid.charged_minor
    payment.tax_minor = paid.tax_minor
    payment.paid_at = paid.paid_at or now()
    payment.state = PaymentState.PAID
    db.session.flush()


def grant_lots(*, payment: Payment, lots: list[Lot], category: Category) -> None:
    """Write the credits of a payment that is locked and paid, then take back what has gone back already."""
    workspace = db.session.get_one(Workspace, payment.workspace_id)
    for lot in lots:
        if queries.grant_by_key(lot.key) is None:
            _grant(payment, workspace, lot, category)
    payment.state, payment.credited_at = PaymentState.CREDITED, now()
    payment.next_check_at, payment.url, payment.told = None, "", ""
    db.session.flush()
    clawback_service.adopt_orphans(payment=payment, cause="came before the credits")
    facts = {"provider": payment.provider, "credits_micros": sum(lot.credits_micros for lot in lots)}
    audit.record(
        "billing.credited",
        actor=payment.person_id or payment.provider,
        subject=payment.id,
        workspace_id=payment.workspace_id,
        facts=facts,
    )
    receipt_letters.send(payment=payment, workspace=workspace)


def _grant(payment: Payment, workspace: Workspace, lot: Lot, category: Category) -> None:
    posting = ledger.grant(
        wallet_id=workspace.ledger_account_id,
        amount_micros=lot.credits_micros,
        category=category,
        house=HOUSES[payment.provider],
        key=f"payment:{lot.key}",
        payment=lot.key,
        description=lot.title[:200],
        source=f"billing:{payment.id}",
    )
    assert posting.grant_id is not None, "a grant has a lot"
    db.session.add(
        PaymentGrant(
            payment_id=payment.id,
            key=lot.key,
            credits_micros=lot.credits_micros,
            transaction_id=posting.transaction_id,
            grant_id=posting.grant_id,
            subscription_item_id=lot.subscription_item_id,
            price_provider_id=lot.price_provider_id,
            period_start=lot.period_start,
            period_end=lot.period_end,
        )
    )


def mark_waiting(*, payment_id: str, object_id: str, payment_intent_id: str | None) -> Payment:
    """The buyer is done, the money is on its way (bank debit). Never sets a paid one back."""
    payment = queries.locked(payment_id)
    if payment.state in (PaymentState.STARTED, PaymentState.EXPIRED):
        payment.state, payment.ended_at = PaymentState.PENDING, None
        payment.object_id = payment.object_id or object_id
        payment.payment_intent_id = payment_intent_id
        payment.url = ""
        payment.next_check_at = payment.next_check_at or _soon()
    return payment


def _soon() -> datetime:
    wait = check_again_after(0)
    assert wait is not None, "an open order is asked about"
    return now() + wait


def end_unpaid(*, payment_id: str, state: PaymentState, why: str) -> Payment:
    """No money will come: failed or expired. A payment whose money has come is kept, and the operator told."""
    payment = queries.locked(payment_id)
    if payment.credited_at is not None or payment.state == PaymentState.PAID:
        if state == PaymentState.FAILED:
            raise_alert(
                ODD_KIND,
                subject=payment.id,
                severity="warning",
                message=f"{payment.provider} calls the paid payment {payment.id} failed. Nothing changed.",
            )
        return payment
    may_follow = payment.state in OPEN_STATES or (state, payment.state) == (PaymentState.FAILED, PaymentState.EXPIRED)
    # An expiry never ends a payment whose money is on its way.
    if may_follow and not (state == PaymentState.EXPIRED and payment.state == PaymentState.PENDING):
        payment.state, payment.ended_at, payment.told = state, now(), why[:300]
        payment.next_check_at, payment.url = None, ""
    return payment
