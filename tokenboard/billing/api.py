"""JSON doors to buying: catalogue, checkout, plan, promo codes, automatic top-up."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.accounts.models import Person
from tokenboard.billing import (
    catalogue_queries,
    opening,
    order_service,
    payment_queries,
    promo_service,
    shapes,
    topup_service,
    waiting_page,
)
from tokenboard.billing.answers import package_answer, payment_answer, subscription_answer, topup_answer
from tokenboard.billing.errors import ProviderFailed, Refused
from tokenboard.billing.forms import (
    BuyBody,
    CallbackQuery,
    CheckoutBody,
    MpesaBody,
    OwnQuery,
    PortalBody,
    RedeemBody,
    SessionBody,
    StartBody,
    TopUpBody,
    own_path,
    own_url,
)
from tokenboard.billing.models import Payment
from tokenboard.billing.order_service import Basket
from tokenboard.billing.rules import CREDITED_STATES, PaymentState
from tokenboard.core.db import db, writing
from tokenboard.core.errors import NotFound, ValidationFailed
from tokenboard.core.settings import settings
from tokenboard.wallet import shapes as wallet_shapes
from tokenboard.wallet.answers import credits_number, posting_answer
from tokenboard.wallet.forms import key_of
from tokenboard.web.api import Answer, operation
from tokenboard.web.clients import clients
from tokenboard.web.limits import limiter
from tokenboard.web.shapes import Url
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role, Workspace

blueprint = Blueprint("billing_api", __name__)

ORDERS = "30/minute"  # each may be a call to a provider
REDEEMS = "10/minute; 50/hour"  # guesses at codes
_TAG = "Payments"
# What every order says of itself in the OpenAPI document.
_ORDER: dict[str, Any] = {"tag": _TAG, "errors": (404, 409, 502, 504), "headers": ("Idempotency-Key",)}


def _buyer(workspace_id: str | None) -> tuple[Workspace, Person]:
    """Members may buy. A demo wallet is made up: real money is not taken for it."""
    person = current_person()
    workspace = access.load(workspace_id, person, at_least=Role.MEMBER).workspace
    if workspace.is_demo:
        raise ValidationFailed({"workspaceId": ["A demo workspace buys nothing."]})
    return workspace, person


def _start(workspace_id: str | None, basket: Basket, key: str | None, success: str = "", cancel: str = "") -> Payment:
    workspace, person = _buyer(workspace_id)
    intent_key = key_of(key, request.headers)
    return opening.start_checkout(
        workspace=workspace,
        person=person,
        basket=basket,
        providers=clients(),
        intent_key=intent_key,
        success_url=success,
        cancel_url=cancel,
    )


def _url(payment: Payment) -> str:
    """Where to pay; for an order that is past that, where it stands."""
    return payment.url or f"{settings().base_url}{waiting_page.PATH}/{payment.id}"


@blueprint.get("/api/billing/packages")
@operation("What is for sale", auth="none", tag=_TAG, answer={"packages": list[shapes.Package]})
def packages() -> Answer:
    return {"packages": [package_answer(offer) for offer in catalogue_queries.for_sale()]}


@blueprint.post("/api/billing/checkout")
@limiter.limit(ORDERS)
@operation("Buy a pack or begin a plan by card", body=CheckoutBody, answer=shapes.Checkout, **_ORDER)
def checkout(body: CheckoutBody) -> Answer:
    _buyer(body.workspace_id)
    basket = order_service.stripe_basket(catalogue_queries.offer(body.package_id))
    payment = _start(body.workspace_id, basket, body.idempotency_key)
    return {"url": _url(payment), "reference": payment.id}


@blueprint.post("/api/billing/checkout-session")
@limiter.limit(ORDERS)
@operation(
    "Buy a price by card, with addresses to come back to", body=SessionBody, answer=shapes.CheckoutSession, **_ORDER
)
def checkout_session(body: SessionBody) -> Answer:
    _buyer(body.workspace_id)
    success, cancel = own_url(body.success_url, "successUrl"), own_url(body.cancel_url, "cancelUrl")
    offer = catalogue_queries.offer(body.price_id)
    basket = order_service.stripe_basket(offer, quantity=body.quantity, return_path=own_path(success, "successUrl"))
    payment = _start(body.workspace_id, basket, body.idempotency_key, success, cancel)
    return {"id": payment.object_id, "url": _url(payment), "reference": payment.id}


@blueprint.post("/api/credits/buy")
@limiter.limit(ORDERS)
@operation("Buy a pack", body=BuyBody, answer=shapes.Bought, **_ORDER)
def buy(body: BuyBody) -> Answer:
    _buyer(body.workspace_id)
    offer = catalogue_queries.offer(body.package_id)
    if body.provider == "stripe":
        basket = order_service.stripe_basket(offer)
    else:
        currency = settings().paystack_currency
        basket = order_service.paystack_basket(offer=offer, amount_usd_cents=None, currency=currency)
    payment = _start(body.workspace_id, basket, body.idempotency_key)
    return {"url": _url(payment), "provider": payment.provider, "reference": payment.id}


@blueprint.post("/api/checkout/start")
@limiter.limit(ORDERS)
@operation("Pay through Paystack, in dollars or shillings", body=StartBody, answer=shapes.PaystackStart, **_ORDER)
def start(body: StartBody) -> Answer:
    _buyer(body.workspace_id)
    basket = _paystack_basket(
        body, body.currency or settings().paystack_currency, own_path(body.return_url, "returnUrl")
    )
    payment = _start(body.workspace_id, basket, body.idempotency_key)
    return {"authorizationUrl": _url(payment), "reference": payment.id, "amount": payment_answer(payment)["amount"]}


def _paystack_basket(body: StartBody | MpesaBody, currency: str, return_path: str = "") -> Basket:
    if (body.package_id is None) == (body.amount_usd is None):
        raise ValidationFailed({"packageId": ["Name a package or an amount, one of them."]})
    offer = catalogue_queries.offer(body.package_id) if body.package_id else None
    return order_service.paystack_basket(
        offer=offer, amount_usd_cents=body.amount_usd, currency=currency, return_path=return_path
    )


@blueprint.post("/api/checkout/mpesa")
@limiter.limit(ORDERS)
@operation("Pay by M-Pesa: the phone asks for the PIN", body=MpesaBody, status=202, answer=shapes.MpesaStart, **_ORDER)
def mpesa(body: MpesaBody) -> Answer:
    workspace, person = _buyer(body.workspace_id)
    payment, display_text = opening.start_mpesa(
        workspace=workspace,
        person=person,
        basket=_paystack_basket(body, "KES", "mpesa"),
        phone=body.phone,
        providers=clients(),
        intent_key=key_of(body.idempotency_key, request.headers),
    )
    return {"reference": payment.id, "status": payment.state, "displayText": display_text}


@blueprint.get("/api/checkout/<reference>")
@operation("Where a payment is", tag=_TAG, answer=shapes.Payment)
def checkout_state(reference: str) -> Answer:
    return payment_answer(_payment_of_caller(reference))


def _payment_of_caller(reference: str) -> Payment:
    """Raises: NotFound, also for somebody else's."""
    payment = payment_queries.by_id(reference)
    if payment is None:
        raise NotFound
    access.load(payment.workspace_id, current_person(), at_least=Role.MEMBER)
    return payment


@blueprint.get("/payments/paystack/callback")
@operation("Where Paystack leads the buyer back to", query=CallbackQuery, auth="none", status=303, media="", tag=_TAG)
def paystack_callback(query: CallbackQuery) -> Response:
    """Anyone may open it: it asks Paystack and believes nothing of the address but which order is meant."""
    with writing():
        payment = payment_queries.by_id(query.reference or query.trxref)
        if payment is None or payment.provider != "paystack":
            return redirect(f"{settings().post_payment_redirect_path}?payment=failed", 303)
        try:
            payment = opening.check_now(payment.id, clients())
        except (ProviderFailed, Refused):
            db.session.rollback()  # shown as pending; the sweeper asks again and tells the operator
    path = payment.return_path if payment.return_path.startswith("/") else settings().post_payment_redirect_path
    return redirect(f"{path}{'&' if '?' in path else '?'}payment={_outcome(payment)}", 303)


def _outcome(payment: Payment) -> str:
    if payment.state in CREDITED_STATES:
        return "success"
    return "failed" if payment.state in (PaymentState.FAILED, PaymentState.EXPIRED) else "pending"


@blueprint.get("/api/billing/portal-link")
@limiter.limit(ORDERS)
@operation(
    "Where card, plan and cancellation are managed",
    query=OwnQuery,
    tag=_TAG,
    answer={"url": Url},
    errors=(409, 502, 504),
)
def portal_link(query: OwnQuery) -> Answer:
    return _portal(query.workspace_id)


@blueprint.post("/api/billing/portal-link")
@limiter.limit(ORDERS)
@operation(
    "Where card, plan and cancellation are managed",
    body=PortalBody,
    tag=_TAG,
    answer={"url": Url},
    errors=(409, 502, 504),
)
def new_portal_link(body: PortalBody) -> Answer:
    return _portal(body.workspace_id)


def _portal(workspace_id: str | None) -> Answer:
    workspace = access.load(workspace_id, current_person(), at_least=Role.ADMIN).workspace
    return {"url": opening.portal_url(workspace_id=workspace.id, providers=clients())}


@blueprint.get("/api/subscription")
@operation("The workspace's plan", query=OwnQuery, tag=_TAG, answer={"subscription": shapes.Subscription | None})
def subscription(query: OwnQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    found = payment_queries.live_subscription(workspace.id)
    offer = catalogue_queries.known_price(found.price_provider_id) if found else None
    return {"subscription": subscription_answer(found, offer)}


@blueprint.post("/api/credits/redeem")
@limiter.limit(REDEEMS)
@operation("Redeem a promo code", body=RedeemBody, tag=_TAG, answer=wallet_shapes.Redeemed, errors=(409,))
def redeem(body: RedeemBody) -> Answer:
    workspace, person = _buyer(body.workspace_id)
    posting, micros = promo_service.redeem(workspace=workspace, person=person, code=body.code)
    db.session.commit()
    return posting_answer(posting) | {"credits": credits_number(micros)}


@blueprint.get("/api/credits/auto-topup")
@operation("The automatic top-up", query=OwnQuery, tag=_TAG, answer=shapes.TopUp)
def auto_topup(query: OwnQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person(), at_least=Role.ADMIN).workspace
    return _topup(workspace.id)


@blueprint.put("/api/credits/auto-topup")
@operation("Set the automatic top-up", body=TopUpBody, tag=_TAG, answer=shapes.TopUp, errors=(409,))
def set_auto_topup(body: TopUpBody) -> Answer:
    person = current_person()
    workspace = access.load(body.workspace_id, person, at_least=Role.ADMIN).workspace
    require_recent_proof()
    topup_service.set_rule(
        workspace=workspace,
        person=person,
        is_enabled=body.enabled,
        threshold_micros=body.threshold_credits,
        price=body.package_id,
        monthly_cap_cents=body.monthly_cap_cents,
    )
    db.session.commit()
    return _topup(workspace.id)


def _topup(workspace_id: str) -> Answer:
    rule = topup_service.rule_of(workspace_id)
    offer = catalogue_queries.known_price(rule.price_provider_id) if rule else None
    return topup_answer(rule, offer.price.id if offer else None)
