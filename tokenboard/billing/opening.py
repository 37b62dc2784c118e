"""Steps that talk to a provider between two transactions: open a checkout, ask what became of an order.

Laws: our row is committed before the provider is called, with the row's id as idempotency key, so that a crash at any
point is mended by calling again; no transaction is open while a provider is asked.
"""

from __future__ import annotations

from datetime import timedelta

from tokenboard.accounts.models import Person
from tokenboard.billing import (
    lost_orders,
    order_service,
    payment_queries as queries,
    paystack_service,
    settlement_service,
    stripe_service,
    topping_up,
)
from tokenboard.billing.asking import Providers
from tokenboard.billing.errors import NoCustomer, ProviderFailed, SubscriptionExists
from tokenboard.billing.models import Customer, Payment
from tokenboard.billing.order_service import Basket
from tokenboard.billing.rules import PaymentKind, PaymentState, check_again_after
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert
from tokenboard.providers.payments import DuplicateReference, InvalidRequest, NotFound, PaymentError
from tokenboard.providers.paystack_objects import PaystackStatus
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.providers.stripe_requests import SESSION_PLACEHOLDER, CatalogueLine, CheckoutRequest, CustomLine
from tokenboard.workspaces.models import Workspace

PAGE_LIVES = timedelta(hours=24)  # Stripe's longest, and what we give Paystack's page
PROMPT_LIVES = timedelta(minutes=5)  # an M-Pesa prompt has 180 seconds


def start_checkout(
    *,
    workspace: Workspace,
    person: Person,
    basket: Basket,
    providers: Providers,
    intent_key: str | None = None,
    success_url: str = "",
    cancel_url: str = "",
) -> Payment:
    """An order with the address where it is paid. Idempotent. Raises: ProviderFailed, SubscriptionExists."""
    payment = order_service.order(workspace=workspace, person=person, basket=basket, intent_key=intent_key)
    db.session.commit()
    if payment.kind == PaymentKind.PLAN and payment.price_provider_id != basket.price_provider_id:
        _close_plan_checkout(payment, providers.stripe().hurried())
        payment = order_service.order(workspace=workspace, person=person, basket=basket, intent_key=intent_key)
        db.session.commit()
    if payment.url or payment.state != PaymentState.STARTED:
        return payment
    try:
        if payment.provider == "stripe":
            return _open_stripe(payment, person, providers.stripe().hurried(), success_url, cancel_url)
        return _open_paystack(payment, person, providers)
    except PaymentError as error:
        raise ProviderFailed(error) from error


def _close_plan_checkout(payment: Payment, client: StripeClient) -> None:
    """Another plan was chosen: the first checkout must not be paid any more."""
    try:
        if payment.object_id:
            client.expire_checkout(payment.object_id)
    except InvalidRequest as error:
        raise SubscriptionExists from error  # it was completed meanwhile
    except PaymentError as error:
        raise ProviderFailed(error) from error
    why = "Another plan was chosen."
    settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.EXPIRED, why=why)
    db.session.commit()


def _open_stripe(payment: Payment, person: Person, client: StripeClient, success_url: str, cancel_url: str) -> Payment:
    customer_id = ensure_customer(payment.workspace_id, person, client)
    is_plan = payment.kind == PaymentKind.PLAN
    if is_plan and any(one.is_live_one for one in client.subscriptions(customer_id)):
        raise SubscriptionExists
    base = settings().base_url
    request = CheckoutRequest(
        mode="subscription" if is_plan else "payment",
        lines=(_line(payment),),
        success_url=success_url or f"{base}/credits/payments/{payment.id}?session_id={SESSION_PLACEHOLDER}",
        cancel_url=cancel_url or f"{base}/credits?payment=canceled",
        client_reference_id=payment.id,
        customer_id=customer_id,
        metadata=lost_orders.metadata(payment, person),
        allow_promotion_codes=True,
        save_card=not is_plan,
    )
    session = client.create_checkout(request, idempotency_key=f"order-{payment.id}")
    locked = queries.locked(payment.id)
    if locked.object_id is None:
        locked.object_id = session.id
    locked.url = session.url or "" if locked.state == PaymentState.STARTED else ""
    db.session.commit()
    return locked


def _line(payment: Payment) -> CatalogueLine | CustomLine:
    """What the buyer sees at Stripe: a price of the catalogue, or the typed amount under our own name."""
    if payment.price_provider_id is not None:
        return CatalogueLine(payment.price_provider_id, payment.quantity)
    return CustomLine(payment.title, payment.currency, payment.amount_minor)


def ensure_customer(workspace_id: str, person: Person, client: StripeClient) -> str:
    """The workspace's customer at Stripe: one, also under two tabs. Raises: PaymentError."""
    fresh = {"id": new_id(), "workspace_id": workspace_id, "provider": "stripe", "created_at": now()}
    statement = insert(Customer).values(**fresh).on_conflict_do_nothing()
    db.session.execute(statement)
    db.session.commit()
    row = queries.live_customer(workspace_id, "stripe")
    assert row is not None, "inserted, or there before"
    row_id, known = row.id, row.provider_id
    db.session.commit()
    if known is not None:
        return known
    made = client.create_customer(
        email=person.email,
        name=person.name,
        metadata={"workspace_id": workspace_id},
        idempotency_key=f"customer-{row_id}",
    )
    again = db.session.get_one(Customer, row_id, populate_existing=True)
    again.provider_id = again.provider_id or made.id
    db.session.commit()
    return again.provider_id


def _open_paystack(payment: Payment, person: Person, providers: Providers) -> Payment:
    try:
        started = (
            providers.paystack()
            .hurried()
            .initialize(
                email=person.email,
                amount=payment.amount_minor,
                currency=payment.currency,
                reference=payment.id,
                callback_url=f"{settings().base_url}/payments/paystack/callback",
                metadata=lost_orders.metadata(payment, person),
            )
        )
    except DuplicateReference:
        return check_now(payment.id, providers)  # begun before, and the answer was lost
    locked = queries.locked(payment.id)
    locked.object_id = payment.id
    locked.url = started.authorization_url if locked.state == PaymentState.STARTED else ""
    db.session.commit()
    return locked


def start_mpesa(
    *, workspace: Workspace, person: Person, basket: Basket, phone: str, providers: Providers, intent_key: str | None
) -> tuple[Payment, str]:
    """Let a phone ask for its PIN; the order, and what to tell the buyer. Raises: ProviderFailed."""
    payment = order_service.order(workspace=workspace, person=person, basket=basket, intent_key=intent_key)
    db.session.commit()
    if payment.state != PaymentState.STARTED or payment.object_id:
        return payment, "Look at your phone and enter your PIN."
    try:
        charge = (
            providers.paystack()
            .hurried()
            .charge_mpesa(
                email=person.email,
                amount=payment.amount_minor,
                phone=phone,
                reference=payment.id,
                metadata=lost_orders.metadata(payment, person),
            )
        )
    except DuplicateReference:
        return check_now(payment.id, providers), "Look at your phone and enter your PIN."
    except PaymentError as error:
        if not error.is_outcome_unknown:
            why = error.user_message
            settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.FAILED, why=why)
            db.session.commit()
        raise ProviderFailed(error) from error
    locked = queries.locked(payment.id)
    locked.object_id = payment.id
    if charge.status is PaystackStatus.FAILED:
        why = charge.message or "The payment did not go through."
        settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.FAILED, why=why)
    elif locked.state == PaymentState.STARTED:
        locked.state = PaymentState.PENDING
    db.session.commit()
    return locked, charge.display_text or "Look at your phone and enter your PIN."


def check_now(payment_id: str, providers: Providers) -> Payment:
    """Ask the provider what became of an order, and settle it: success page, *Check now* and reconciler.

    Idempotent. Raises: ProviderFailed when it cannot be asked, Refused when what was paid does not fit.
    """
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    facts = (payment.provider, payment.kind, payment.object_id, payment.created_at, bool(payment.url))
    db.session.commit()
    provider, kind, object_id, created_at, has_page = facts
    lives = PAGE_LIVES if has_page or provider == "stripe" else PROMPT_LIVES
    is_over = now() - created_at > lives
    try:
        if provider == "paystack":
            found = _follow_paystack(payment, providers, is_final=is_over)
        elif kind == PaymentKind.TOP_UP:
            found = _follow_intent(payment, providers)
        else:
            found = _follow_session(payment, object_id, providers, is_final=is_over)
    except PaymentError as error:
        db.session.rollback()
        raise ProviderFailed(error) from error
    db.session.commit()
    return found


def _follow_session(payment: Payment, session_id: str | None, providers: Providers, *, is_final: bool) -> Payment:
    if session_id is not None and session_id.startswith("cs_"):
        session = providers.stripe().hurried().checkout_session(session_id)
        return stripe_service.follow_session(session)
    if is_final and payment.kind != PaymentKind.INVOICE:
        why = "The checkout was never opened."
        return settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.EXPIRED, why=why)
    return payment


def _follow_paystack(payment: Payment, providers: Providers, *, is_final: bool) -> Payment:
    try:
        told = providers.paystack().hurried().verify(payment.id)
    except NotFound:
        if not is_final:
            return payment
        why = "The payment was never begun."
        return settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.EXPIRED, why=why)
    return paystack_service.follow_transaction(payment, told, is_final=is_final)


def _follow_intent(payment: Payment, providers: Providers) -> Payment:
    if payment.object_id is None:
        return topping_up.charge(payment, providers)
    return topping_up.follow_intent(payment, providers.stripe().hurried().payment_intent(payment.object_id))


def plan_next_check(payment_id: str) -> None:
    """Once more later, if it is still open. Does not commit."""
    payment = queries.locked(payment_id)
    payment.checks += 1
    wait = check_again_after(payment.checks)
    is_open = payment.state in (PaymentState.STARTED, PaymentState.PENDING, PaymentState.PAID)
    payment.next_check_at = now() + wait if wait and is_open and payment.credited_at is None else None


def portal_url(*, workspace_id: str, providers: Providers) -> str:
    """Where the customer manages card, plan and cancellation. Raises: NoCustomer, ProviderFailed."""
    customer = queries.live_customer(workspace_id, "stripe")
    if customer is None or customer.provider_id is None:
        raise NoCustomer
    customer_id = customer.provider_id
    db.session.commit()
    return_url = settings().billing_portal_return_url or f"{settings().base_url}/subscription"
    try:
        return providers.stripe().hurried().portal_url(customer_id, return_url)
    except PaymentError as error:
        raise ProviderFailed(error) from error
