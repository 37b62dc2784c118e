"""Pages of one payment: while it is waited for and after, its receipt, and the same basket once more."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.accounts.models import Person
from tokenboard.billing import basket_service, inbox_service, opening, payment_queries, payment_receipt, waiting_page
from tokenboard.billing.errors import PriceNotFound, ProviderFailed, Refused, SubscriptionExists
from tokenboard.billing.forms import phone_number
from tokenboard.billing.models import Payment
from tokenboard.billing.order_service import Basket
from tokenboard.billing.payment_words import can_begin_again
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound, ValidationFailed
from tokenboard.web.clients import clients
from tokenboard.web.forms import faults_of, fields
from tokenboard.web.fragments import is_fragment_request, page, see_other, with_out_of_band
from tokenboard.web.limits import limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

blueprint = Blueprint("billing", __name__)

TEMPLATE = "billing/payment.html"
FRAGMENTS = ("payment_state",)
CHECKS = "60/minute"  # each asks the provider; a page that waits for a phone asks every four seconds
ORDERS = "30/minute"


@blueprint.get(f"{waiting_page.PATH}/<id:payment_id>")
def show_payment(payment_id: str) -> Response:
    """The way back from a checkout: it waits by itself, and loses nothing when it is closed."""
    payment, found, _ = _payment(payment_id)
    return _page(payment, found)


def _page(
    payment: Payment, found: WorkspaceAccess, *, faults: dict[str, list[str]] | None = None, status: int = 200
) -> Response:
    block = waiting_page.waiting_block(
        payment,
        grants=payment_queries.grants_of(payment.id) if payment.credited_at else (),
        has_returned=waiting_page.RETURNED in request.args,
        may_act=found.allows(Role.MEMBER),
        is_first=not is_fragment_request(),
    )
    phone = request.form.get("phone", "")[:30]
    context = {"payment": block, "workspace": found.workspace, "faults": faults or {}, "phone": phone}
    answer = page(TEMPLATE, fragments=FRAGMENTS, status=status, **context)
    if block.is_waiting:
        return answer
    return with_out_of_band(
        answer, "base.html", "balance_pill", is_out_of_band=True
    )  # the credits came while one looked


def _payment(payment_id: str, at_least: Role = Role.VIEWER) -> tuple[Payment, WorkspaceAccess, Person]:
    """Raises: NotFound, Forbidden."""
    found, person = payment_queries.by_id(payment_id), current_person()
    if found is None:
        raise NotFound
    return found, access.load(found.workspace_id, person, at_least=at_least), person


@blueprint.post(f"{waiting_page.PATH}/<id:payment_id>/check")
@limiter.limit(CHECKS)
def check_payment(payment_id: str) -> Response | BaseResponse:
    """Ask the provider now, and settle."""
    payment, found, _ = _payment(payment_id, Role.MEMBER)
    told = ""
    try:
        payment = opening.check_now(payment.id, clients())
    except ProviderFailed as error:
        told = error.message
    except Refused as refusal:
        db.session.rollback()
        inbox_service.note_mismatch(payment_id=payment.id, why=refusal.why)
        db.session.commit()
        told = "What was paid does not fit this order. The operator has been told."
    if is_fragment_request():
        return _page(payment, found)  # the page asks by itself: what is wrong now may be right at the next look
    if told:
        flash(told, "warning")
    return see_other(f"{waiting_page.PATH}/{payment.id}")


@blueprint.post(f"{waiting_page.PATH}/<id:payment_id>/again")
@limiter.limit(ORDERS)
def order_again(payment_id: str) -> Response | BaseResponse:
    """The same basket, for the total that was shown. Pressing twice orders once: the ended order is the key."""
    payment, found, person = _payment(payment_id, Role.MEMBER)
    if not can_begin_again(payment):
        return see_other(f"{waiting_page.PATH}/{payment.id}")
    try:
        basket = basket_service.again(payment)
        if request.form.get("total") != str(basket.amount_minor):
            return see_other(f"{waiting_page.PATH}/{payment.id}")  # it costs something else today: said there
        made = _begin_again(payment, basket, found, person)
    except ValidationFailed as refusal:
        return _page(payment, found, faults=faults_of(refusal), status=refusal.status)
    except ProviderFailed as error:
        return _page(payment, found, faults={"form": [error.message]}, status=503)
    except (PriceNotFound, SubscriptionExists) as refusal:
        return _page(payment, found, faults={"form": [refusal.message]}, status=409)
    return see_other(made.url or f"{waiting_page.PATH}/{made.id}")


def _begin_again(payment: Payment, basket: Basket, found: WorkspaceAccess, person: Person) -> Payment:
    key = f"again:{payment.id}"
    if basket_service.is_prompt(payment):
        phone: str = fields(request.form, phone=phone_number)["phone"]
        made, _ = opening.start_mpesa(
            workspace=found.workspace,
            person=person,
            basket=basket,
            phone=phone,
            providers=clients(),
            intent_key=key,
        )
        return made
    return opening.start_checkout(
        workspace=found.workspace, person=person, basket=basket, providers=clients(), intent_key=key
    )


@blueprint.get(f"{waiting_page.PATH}/<id:payment_id>/receipt")
def show_receipt(payment_id: str) -> Response:
    """Our own receipt, to be printed or kept. Raises: NotFound for what was never paid."""
    payment, found, _ = _payment(payment_id)
    if payment.paid_at is None:
        raise NotFound
    receipt = payment_receipt.build(payment, payment_queries.grants_of(payment.id))
    return page("billing/receipt.html", receipt=receipt, workspace=found.workspace)
