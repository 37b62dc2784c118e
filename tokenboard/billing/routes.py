"""Pages of billing: a payment while it is waited for, and after."""

from __future__ import annotations

from flask import Blueprint, Response, flash
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.billing import opening, payment_queries, waiting_page
from tokenboard.billing.errors import ProviderFailed, Refused
from tokenboard.billing.models import Payment
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.web.clients import clients
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("billing", __name__)

FRAGMENTS = ("payment_state",)
CHECKS = "12/minute"  # each asks the provider


@blueprint.get(f"{waiting_page.PATH}/<id:payment_id>")
def show_payment(payment_id: str) -> Response:
    """The way back from a checkout: it waits by itself, and loses nothing when it is closed."""
    payment = _payment(payment_id)
    return page("billing/payment.html", fragments=FRAGMENTS, payment=waiting_page.waiting_block(payment))


@blueprint.post(f"{waiting_page.PATH}/<id:payment_id>/check")
@limiter.limit(CHECKS)
def check_payment(payment_id: str) -> BaseResponse:
    """Ask the provider now, and settle."""
    payment = _payment(payment_id)
    try:
        opening.check_now(payment.id, clients())
    except ProviderFailed as error:
        flash(error.message, "warning")
    except Refused:
        db.session.rollback()
        flash("What was paid does not fit this order. The operator has been told.", "warning")
    return see_other(f"{waiting_page.PATH}/{payment.id}")


def _payment(payment_id: str) -> Payment:
    """Raises: NotFound, Forbidden."""
    found = payment_queries.by_id(payment_id)
    if found is None:
        raise NotFound
    access.load(found.workspace_id, current_person(), at_least=Role.MEMBER)
    return found
