"""The page /credits and its forms: buy, subscribe, redeem, top up by itself, draw the low-balance line."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, flash, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.accounts.models import Person
from tokenboard.billing import (
    basket_forms,
    basket_service,
    buyers_page,
    catalogue_queries,
    history_page,
    opening,
    order_service,
    promo_service,
    shop_page,
    topup_service,
    waiting_page,
)
from tokenboard.billing.buyers_page import Asked
from tokenboard.billing.errors import CodeNotValid, CodeUsed, PriceNotFound, ProviderFailed
from tokenboard.billing.forms import phone_number
from tokenboard.billing.models import Payment
from tokenboard.billing.order_service import Basket
from tokenboard.billing.price_words import credits_words
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict, TokenBoardError, ValidationFailed
from tokenboard.core.settings import settings
from tokenboard.wallet import low_balance_service
from tokenboard.wallet.credits_page import PATH
from tokenboard.wallet.forms import read_threshold
from tokenboard.wallet.rules import KIND_WORDS
from tokenboard.web.clients import clients
from tokenboard.web.fragments import page, see_other, wanted_fragment
from tokenboard.web.limits import limiter
from tokenboard.web.spreadsheets import csv_answer
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role, Workspace

blueprint = Blueprint("credits", __name__)

TEMPLATE = "billing/credits.html"
FRAGMENTS = ("add_credits", "history", "ledger")
ORDERS = "30/minute"  # each may be a call to a provider
REDEEMS = "10/minute; 50/hour"  # guesses at codes
PROVIDERS = ("stripe", "paystack")


@blueprint.get(PATH)
def show_credits() -> Response:
    person = current_person()
    return _page(access.load(request.args.get("workspace_id"), person), person)


@blueprint.get("/billing")
def credits_alias() -> BaseResponse:
    current_person()
    query = request.query_string.decode("ascii", "ignore")
    return redirect(f"{PATH}?{query}" if query else PATH, 308)


def _page(
    found: WorkspaceAccess, person: Person, *, faults: dict[str, list[str]] | None = None, status: int = 200
) -> Response:
    asked = _asked(faults or {})
    context = buyers_page.build(found, person, asked, _modes())
    return page(TEMPLATE, fragments=FRAGMENTS, status=status, **context)


def _modes() -> dict[str, str]:
    return {name: clients().mode(name) for name in PROVIDERS}


def _asked(faults: dict[str, list[str]]) -> Asked:
    """What the address, or the form that was refused, asks to see. What makes no sense shows the page as it is."""
    given, tab = request.args, history_page.tab_of(request.args.get("tab", ""))
    kind, cursor = given.get("kind", ""), given.get("cursor", "")
    is_plan = given.get("buy") == "plans" or "plan" in faults
    return Asked(
        wish=basket_forms.read_wish(request.values),
        shows_plans=is_plan,
        tab=tab,
        kind=kind if kind in KIND_WORDS else "",
        state=history_page.filter_of(given.get("state", "")),
        cursor=cursor if re.fullmatch("[0-9]{1,18}" if tab == history_page.LEDGER else "[0-9a-f-]{36}", cursor) else "",
        outcome=given.get("payment", ""),
        kept=_kept(),
        typed=request.form if faults else {},
        faults=faults,
    )


def _kept() -> dict[str, str]:
    """A page about a workspace that its address names stays with it, and with its currency."""
    return {name: request.values[name][:40] for name in ("workspace_id", "currency") if name in request.values}


@blueprint.get("/credits/total")
def show_total() -> Response | BaseResponse:
    """The total of a basket while it is being put together; a block for the page, no page of its own."""
    current_person()
    if wanted_fragment(("total",)) is None:
        return see_other(PATH)
    counter = shop_page.Counter(catalogue_queries.for_sale(), _modes(), settings())
    wish = shop_page.completed(basket_forms.read_wish(request.args), counter)
    total = shop_page.total(wish, counter)
    return page("billing/_add_credits.html", fragments=("total",), total=total, faults={})


def _buyer() -> tuple[WorkspaceAccess, Person]:
    """Members buy; a demo wallet is made up, and real money is not taken for it. Raises: NotFound, Forbidden."""
    person = current_person()
    return access.load(request.form.get("workspace_id"), person, at_least=Role.MEMBER), person


@blueprint.post("/credits/buy")
@limiter.limit(ORDERS)
def buy() -> Response | BaseResponse:
    found, person = _buyer()
    wish = basket_forms.read_wish(request.form)
    try:
        _refuse_demo(found.workspace, "buy")
        basket = basket_service.agreed(wish, _modes())
        key = basket_service.intent_key(_keyed(wish, found.workspace, person), person.id, basket)
        payment = _ordered(found.workspace, person, basket, key, wish.phone)
    except ValidationFailed as refusal:
        return _page(found, person, faults=refusal.fields, status=refusal.status)
    except ProviderFailed as error:
        return _page(found, person, faults={"buy": [error.message]}, status=503)
    return see_other(_next_step(payment))


def _keyed(wish: basket_forms.Wish, workspace: Workspace, person: Person) -> basket_forms.Wish:
    """A form without its key, which ours always has, is one that is drawn now."""
    return wish if wish.key else replace(wish, key=basket_service.form_key(workspace.id, person.id))


def _refuse_demo(workspace: Workspace, field: str) -> None:
    if workspace.is_demo:
        raise ValidationFailed({field: ["A demo workspace buys nothing."]})


def _ordered(workspace: Workspace, person: Person, basket: Basket, key: str | None, phone: str) -> Payment:
    facts: dict[str, Any] = {"workspace": workspace, "person": person, "basket": basket, "providers": clients()}
    if basket.return_path == basket_service.MPESA:
        payment, _ = opening.start_mpesa(**facts, phone=phone_number(phone), intent_key=key)
        return payment
    return opening.start_checkout(**facts, intent_key=key)


def _next_step(payment: Payment) -> str:
    """Where to pay; for an order that is past that, where it stands."""
    return payment.url or f"{waiting_page.PATH}/{payment.id}"


@blueprint.post("/credits/subscribe")
@limiter.limit(ORDERS)
def subscribe() -> Response | BaseResponse:
    found, person = _buyer()
    try:
        _refuse_demo(found.workspace, "plan")
        offer = catalogue_queries.offer(request.form.get("plan", "")[:255])
        if offer.price.interval is None:
            raise PriceNotFound
        payment = opening.start_checkout(
            workspace=found.workspace, person=person, basket=order_service.stripe_basket(offer), providers=clients()
        )
    except ProviderFailed as error:
        return _page(found, person, faults={"plan": [error.message]}, status=503)
    except (ValidationFailed, PriceNotFound, Conflict) as refusal:
        told = refusal.fields["plan"] if isinstance(refusal, ValidationFailed) else [refusal.message]
        return _page(found, person, faults={"plan": told}, status=_status(refusal))
    return see_other(_next_step(payment))


def _status(refusal: TokenBoardError) -> int:
    """A choice that is not for sale is a form to be filled again, not an address that does not exist."""
    return 422 if isinstance(refusal, PriceNotFound) else refusal.status


@blueprint.post("/credits/redeem")
@limiter.limit(REDEEMS)
def redeem() -> Response | BaseResponse:
    found, person = _buyer()
    try:
        _refuse_demo(found.workspace, "code")
        code = basket_forms.read_code(request.form)
        _, micros = promo_service.redeem(workspace=found.workspace, person=person, code=code)
    except (ValidationFailed, CodeNotValid, CodeUsed) as refusal:
        db.session.rollback()
        told = refusal.fields["code"] if isinstance(refusal, ValidationFailed) else [refusal.message]
        return _page(found, person, faults={"code": told}, status=refusal.status)
    db.session.commit()
    flash(f"The code brought {credits_words(micros)}.", "success")
    return see_other(PATH)


@blueprint.post("/credits/auto-topup")
def set_auto_topup() -> Response | BaseResponse:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.ADMIN)
    require_recent_proof()
    try:
        _refuse_demo(found.workspace, "topup_pack")
        read = basket_forms.read_top_up(request.form)
        topup_service.set_rule(
            workspace=found.workspace,
            person=person,
            is_enabled=read.is_enabled,
            threshold_micros=read.threshold_micros,
            price=read.price,
            monthly_cap_cents=read.monthly_cap_cents,
        )
    except (ValidationFailed, PriceNotFound) as refusal:
        db.session.rollback()
        told = refusal.fields if isinstance(refusal, ValidationFailed) else {"topup_pack": ["This is not for sale."]}
        return _page(found, person, faults=told, status=422)
    db.session.commit()
    flash("Automatic top-up is on." if read.is_enabled else "Automatic top-up is off.", "success")
    return see_other(PATH)


@blueprint.post("/credits/low-balance")
def draw_line() -> Response | BaseResponse:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.ADMIN)
    try:
        threshold = read_threshold(request.form)
    except ValidationFailed as refusal:
        return _page(found, person, faults=refusal.fields, status=refusal.status)
    low_balance_service.draw_line(workspace=found.workspace, threshold_micros=threshold, actor=person.id)
    db.session.commit()
    flash("Saved." if threshold else "Nobody is told any more.", "success")
    return see_other(PATH)


@blueprint.get(history_page.CSV_PATH)
def payments_csv() -> Response:
    workspace = access.load(request.args.get("workspace_id"), current_person()).workspace
    tab, state = request.args.get("tab", ""), history_page.filter_of(request.args.get("state", ""))
    return csv_answer("tokenboard-payments.csv", history_page.csv_rows(workspace.id, tab=tab, state=state))
