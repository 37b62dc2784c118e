"""The control room's payments: the list with its totals and CSV, one payment, *Check now*, refunds."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.billing import opening, payment_search, refunding
from tokenboard.billing.errors import ProviderFailed, Refused
from tokenboard.billing.forms import read_refund, read_refund_amount
from tokenboard.billing.models import Refund
from tokenboard.billing.rules import price_text
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import NotFound, TokenBoardError, ValidationFailed
from tokenboard.ops import control_room, payment_page, payments_page
from tokenboard.web.clients import clients
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.web.spreadsheets import csv_answer

blueprint = Blueprint("admin_payments", __name__, url_prefix="/admin/payments")

ACTS = "30/minute"  # each asks a provider
PAGE = payments_page.PATH

control_room.furnish(blueprint)


@blueprint.get("")
def payments() -> Response:
    wanted = payments_page.read_filter(request.args)
    view = payments_page.build(wanted, cursor=request.args.get("cursor", ""))
    return page("ops/payments.html", fragments=("payments",), view=view)


@blueprint.get("/list.csv")
def payments_csv() -> Response:
    wanted = payments_page.read_filter(request.args)
    return csv_answer("tokenboard-payments.csv", payments_page.csv_rows(wanted))


@blueprint.get("/<id:payment_id>")
def payment(payment_id: str) -> Response:
    return _detail(payment_id)


def _detail(payment_id: str, refusal: TokenBoardError | None = None) -> Response:
    row = payment_search.one(payment_id)
    if row is None:
        raise NotFound
    amount_minor, typed = None, request.args.get("amount", "").strip()[:40]
    try:
        amount_minor = read_refund_amount(typed, row.payment.currency) if typed and refusal is None else None
    except ValidationFailed as fault:
        refusal = fault
    view = payment_page.build(row, amount_minor=amount_minor)
    return page(
        "ops/payment.html",
        fragments=("payment", "refund_preview"),
        status=refusal.status if refusal else 200,
        view=view,
        typed=typed or view.refund.left_typed,
        form_key=new_id(),
        faults=faults_of(refusal) if refusal else {},
    )


@blueprint.post("/<id:payment_id>/check")
@limiter.limit(ACTS)
def check(payment_id: str) -> BaseResponse:
    """Ask the provider now, and settle: the function that webhooks use."""
    if payment_search.one(payment_id) is None:
        raise NotFound
    try:
        found = opening.check_now(payment_id, clients())
        flash(f"{found.provider.capitalize()} was asked. It stands at: {payments_page.state_word(found)}.", "info")
    except ProviderFailed as error:
        flash(error.message, "warning")
    except Refused as refusal:
        db.session.rollback()
        flash(f"Not credited. {refusal.why}", "warning")
    return see_other(f"{PAGE}/{payment_id}")


@blueprint.post("/<id:payment_id>/refund")
@limiter.limit(ACTS)
def refund(payment_id: str) -> Response | BaseResponse:
    person = current_person()
    require_recent_proof()
    try:
        form = read_refund(request.form)
        made = refunding.refund(
            payment_id=payment_id,
            amount_minor=form.amount_minor,
            actor=person.id,
            intent_key=f"page:{form.form_key}",
            providers=clients(),
        )
    except ValidationFailed as refusal:
        db.session.rollback()
        return _detail(payment_id, refusal)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _refused(payment_id, refusal)
    _tell(made)
    return see_other(f"{PAGE}/{payment_id}")


def _refused(payment_id: str, refusal: TokenBoardError) -> Response:
    if isinstance(refusal, NotFound):
        raise refusal
    return _detail(payment_id, refusal)


def _tell(made: Refund) -> None:
    amount, provider = price_text(made.amount_minor, made.currency), made.provider.capitalize()
    words, kind = {
        "succeeded": (f"{amount} went back, and the credits with it.", "success"),
        "failed": (f"{provider} refused to give {amount} back.", "error"),
        refunding.REQUESTED: (f"{provider} has not answered yet. It is asked again in a few minutes.", "warning"),
    }.get(made.state, (f"{provider} gives {amount} back. The credits follow when the money has gone.", "info"))
    flash(words, kind)


@blueprint.post("/<id:payment_id>/refunds/<id:refund_id>/ask")
@limiter.limit(ACTS)
def ask_for_refund(payment_id: str, refund_id: str) -> BaseResponse:
    """For a refund whose answer was lost."""
    try:
        _tell(refunding.ask_again(refund_id=refund_id, providers=clients()))
    except NotFound:
        raise
    except TokenBoardError as refusal:
        db.session.rollback()
        flash(refusal.message, "warning")
    return see_other(f"{PAGE}/{payment_id}")
