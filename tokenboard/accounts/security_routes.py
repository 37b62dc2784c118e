"""Settings, Security: how one signs in, where one is signed in, and which programs one has let in.

Every form here asks for a recent proof of who sits there (guards.py).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import api_tokens, proof_service, second_factor_rules, second_factor_service
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import limit_confirming
from tokenboard.accounts.forms import LONGEST_TYPED, token_name
from tokenboard.accounts.guards import current_person, current_sign_in, require_recent_proof
from tokenboard.accounts.qr import qr_code
from tokenboard.accounts.security_page import SECURITY, TOKEN_DAYS, security_page
from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError, ValidationFailed
from tokenboard.core.settings import settings
from tokenboard.web.forms import faults_of, fields, one_of
from tokenboard.web.fragments import page, see_other

blueprint = Blueprint("security", __name__, url_prefix=SECURITY)

_FACTOR = f"{SECURITY}/second-factor"


@blueprint.get("")
def security() -> Response:
    return security_page()


@blueprint.post("/password")
@password_door
@limit_confirming
def change_password() -> Response | BaseResponse:
    sign_in = require_recent_proof()
    current, password = (request.form.get(name, "")[:LONGEST_TYPED] for name in ("current_password", "password"))
    try:
        proof_service.change_password(current_person(), sign_in, current=current, password=password)
    except ValidationFailed as refusal:
        db.session.rollback()
        return security_page(refusal, block="password")
    db.session.commit()
    flash("Your password is new, and you are signed out everywhere else.", "success")
    return see_other(SECURITY)


@blueprint.post("/second-factor")
def begin_factor() -> BaseResponse:
    require_recent_proof()
    second_factor_service.begin(current_person())
    db.session.commit()
    return see_other(_FACTOR)


@blueprint.get("/second-factor")
def show_factor() -> Response | BaseResponse:
    person = current_person()
    if second_factor_service.is_on(person.id) or not second_factor_service.has_begun(person.id):
        return see_other(SECURITY)
    require_recent_proof()  # the secret stands on the page
    return _factor_page()


@blueprint.post("/second-factor/confirm")
@limit_confirming
def confirm_factor() -> Response | BaseResponse:
    require_recent_proof()
    try:
        code = request.form.get("code", "")[:LONGEST_TYPED]
        codes = second_factor_service.confirm(current_person(), current_sign_in(), code=code)
    except ValidationFailed as refusal:
        db.session.rollback()
        return _factor_page(refusal)
    db.session.commit()
    flash("Two-step sign-in is on.", "success")
    return security_page(codes=codes)


def _factor_page(refusal: TokenBoardError | None = None) -> Response:
    person = current_person()
    secret = second_factor_service.pending_secret(person)
    site = urlsplit(settings().base_url).netloc
    return page(
        "accounts/second_factor.html",
        status=refusal.status if refusal else 200,
        faults=faults_of(refusal) if refusal else {},
        secret=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        qr=qr_code(second_factor_rules.address(secret, email=person.email, site=site)),
    )


@blueprint.post("/recovery-codes")
def renew_codes() -> Response:
    require_recent_proof()
    codes = second_factor_service.renew_codes(current_person())
    db.session.commit()
    return security_page(codes=codes)


@blueprint.post("/second-factor/remove")
def remove_factor() -> Response | BaseResponse:
    require_recent_proof()
    try:
        second_factor_service.remove(current_person())
    except TokenBoardError as refusal:
        db.session.rollback()
        return security_page(refusal, block="second_factor")
    db.session.commit()
    flash("Two-step sign-in is off.", "success")
    return see_other(SECURITY)


@blueprint.post("/tokens")
def make_token() -> Response:
    require_recent_proof()
    try:
        read = fields(request.form, name=token_name, days=one_of(*(value for value, _ in TOKEN_DAYS)))
        _, secret = api_tokens.make(current_person(), name=read["name"], days=int(read["days"]))
    except TokenBoardError as refusal:
        db.session.rollback()
        return security_page(refusal, block="api_tokens")
    db.session.commit()
    return security_page(secret=secret)  # no redirect: the secret is shown this once


@blueprint.post("/tokens/<id:token_id>/end")
def end_token(token_id: str) -> BaseResponse:
    api_tokens.end(current_person(), token_id=token_id)
    db.session.commit()
    flash("The token opens nothing any more.", "success")
    return see_other(SECURITY)
