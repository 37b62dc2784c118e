"""/confirm: a session left open proves again who sits there, before acts that ask for it (guards.py)."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import oidc_service, proof_service, second_factor_service
from tokenboard.accounts.entrance import HOME, limit_confirming
from tokenboard.accounts.forms import LONGEST_TYPED
from tokenboard.accounts.guards import current_person, current_sign_in, has_recent_proof
from tokenboard.core.db import db
from tokenboard.core.errors import InvalidCredentials
from tokenboard.web.fragments import page, see_other
from tokenboard.web.security import local_path

blueprint = Blueprint("confirm", __name__)

_WRONG = "That does not prove it. Please try again."


@blueprint.get("/confirm")
def confirm() -> Response | BaseResponse:
    onward = local_path(request.args.get("next"), HOME)
    current_person()
    return see_other(onward) if has_recent_proof() else _page(onward)


@blueprint.post("/confirm")
@limit_confirming
def check() -> Response | BaseResponse:
    onward = local_path(request.form.get("next"), HOME)
    try:
        proof_service.confirm(
            current_sign_in(),
            password=request.form.get("password", "")[:LONGEST_TYPED],
            code=request.form.get("code", "")[:LONGEST_TYPED],
        )
    except InvalidCredentials:
        return _page(onward, fault=_WRONG, status=422)
    db.session.commit()
    flash("Thank you. Please send the form once more.", "success")
    return see_other(onward)


def _page(onward: str, *, fault: str = "", status: int = 200) -> Response:
    person = current_person()
    return page(
        "accounts/confirm.html",
        status=status,
        onward=onward,
        fault=fault,
        person=person,
        has_identity=bool(oidc_service.identities(person.id)),
        has_factor=second_factor_service.is_on(person.id),
    )
