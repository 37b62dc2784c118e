"""Coming in through the sign-in provider: there, back, and what is decided then.

Laws: no transaction is open while the provider is asked; whatever goes wrong there is one neutral page, its class is
logged; the session begins anew; an e-mail alone opens an account only when both sides have verified it.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import oidc_attempts, oidc_rules, oidc_service, service
from tokenboard.accounts.doors import doors
from tokenboard.accounts.entrance import HOME, enter_or_ask
from tokenboard.accounts.errors import AskForPassword, EmailTaken, IdentityTaken, NoEmailTold
from tokenboard.accounts.guards import current_person, require_recent_proof, signed_in_or_none
from tokenboard.accounts.models import Method, Person
from tokenboard.accounts.oidc_attempts import Begun
from tokenboard.accounts.security_page import SECURITY
from tokenboard.core.clock import now
from tokenboard.core.db import db, writing
from tokenboard.core.settings import settings
from tokenboard.portal.signup import sign_up_elsewhere
from tokenboard.providers.oidc_client import Claims, OidcFailed
from tokenboard.web.clients import clients
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import OIDC, limiter
from tokenboard.web.security import local_path

log = logging.getLogger(__name__)
blueprint = Blueprint("oidc", __name__)

_PURPOSES = ("sign_in", "confirm", "connect")
CONNECT = "/login/oidc/connect"


@blueprint.get("/login/oidc")
@limiter.limit(OIDC)
def begin() -> Response | BaseResponse:
    if not settings().has_oidc:
        flash("No sign-in provider is set up here.", "info")
        return see_other("/login")
    onward = local_path(request.args.get("next"), HOME)
    purpose = request.args.get("purpose", "sign_in")
    purpose = purpose if purpose in _PURPOSES else "sign_in"
    if purpose != "sign_in":
        current_person()
    db.session.rollback()  # nothing was written; the provider is asked outside any transaction
    try:
        attempt = clients().oidc().begin(redirect_uri=_callback(), asks_again=purpose == "confirm")
    except OidcFailed as failure:
        return _failed(failure.kind, status=502)
    oidc_attempts.remember(attempt, onward=onward, purpose=purpose)
    return see_other(attempt.url)


def _callback() -> str:
    return f"{settings().base_url}/login/oidc/callback"


@blueprint.get("/login/oidc/callback")
@limiter.limit(OIDC)
def callback() -> Response | BaseResponse:
    begun = oidc_attempts.take(request.args.get("state", "")) if settings().has_oidc else None
    if begun is None:
        return _failed("MismatchingState")
    code = request.args.get("code", "")
    if "error" in request.args or not code:
        return _failed("Denied")
    try:
        claims = (
            clients().oidc().finish(redirect_uri=_callback(), code=code, verifier=begun.verifier, nonce=begun.nonce)
        )
    except OidcFailed as failure:
        return _failed(failure.kind)
    with writing():
        return _come_back(begun, claims)


def _come_back(begun: Begun, claims: Claims) -> Response | BaseResponse:
    """The provider has said who it is. What for?"""
    if begun.purpose == "confirm":
        return _confirm(begun, claims)
    if begun.purpose == "connect":
        current_person()
        oidc_attempts.hold(claims)
        return see_other(CONNECT)
    try:
        person = oidc_service.known(claims) or _make(claims)
    except (AskForPassword, EmailTaken):
        db.session.rollback()
        return _ask_for_password(claims)
    except (NoEmailTold, IdentityTaken) as refusal:
        db.session.rollback()
        return page("portal/oidc_refused.html", status=refusal.status, sentence=refusal.message)
    if person.is_disabled:
        db.session.rollback()
        return _failed("Disabled", status=403)
    is_in = enter_or_ask(
        person, method=Method.OIDC, has_second_factor=claims.has_second_factor, id_token=claims.id_token
    )
    return see_other(begun.onward if is_in else f"/login/code?next={quote(begun.onward)}")


def _make(claims: Claims) -> Person:
    """Somebody new. Raises: EmailTaken (registered at this moment)."""
    made = sign_up_elsewhere(
        email=oidc_service.email_told(claims), display_name=_name(claims), is_verified=claims.email_verified
    )
    oidc_service.connect(made.person, claims)
    return made.person


def _name(claims: Claims) -> str:
    printable = "".join(character for character in claims.name if character.isprintable())
    return printable.encode("utf-8", "ignore").decode()[:80].strip()


def _ask_for_password(claims: Claims) -> Response | BaseResponse:
    if not doors().has_password:
        sentence = "There is an account with this e-mail already, and nobody has confirmed that the address is yours."
        return page("portal/oidc_refused.html", status=409, sentence=f"{sentence} Ask who runs this site.")
    oidc_attempts.hold(claims)
    return see_other(CONNECT)


def _confirm(begun: Begun, claims: Claims) -> Response | BaseResponse:
    """Step-up: the identity must be one of who is signed in, and the provider must have asked just now."""
    found = signed_in_or_none()
    sign_in = found.sign_in if found else None
    identity = oidc_service.identity_of(claims.issuer, claims.subject)
    is_fresh = oidc_rules.proves_now(claims.authenticated_at, now())
    if sign_in is None or identity is None or identity.person_id != sign_in.person_id or not is_fresh:
        return _failed("NotConfirmed", status=403)
    service.prove(sign_in.id, sign_in.person_id)
    db.session.commit()
    flash("Thank you. Please send the form once more.", "success")
    return see_other(begun.onward)


@blueprint.get(CONNECT)
def show_waiting() -> Response | BaseResponse:
    waiting, found = oidc_attempts.held(), signed_in_or_none()
    if waiting is None:
        return see_other(SECURITY if found else "/login")
    return page("portal/oidc_connect.html", waiting=waiting, me=found.person if found else None, path=CONNECT)


@blueprint.post(CONNECT)
def connect() -> BaseResponse:
    person = current_person()
    require_recent_proof()
    waiting = oidc_attempts.held()
    if waiting is not None:
        oidc_service.add_identity(person, issuer=waiting.issuer, subject=waiting.subject, email=waiting.email)
        db.session.commit()
        flash(f"Connected: from now on you may come in with {settings().oidc_name}.", "success")
    oidc_attempts.let_go()
    return see_other(SECURITY)


@blueprint.post("/settings/security/identities/<id:identity_id>/remove")
def disconnect(identity_id: str) -> BaseResponse:
    person = current_person()
    require_recent_proof()
    oidc_service.remove_identity(person, identity_id=identity_id)
    db.session.commit()
    flash("Disconnected. It opens this account no more.", "success")
    return see_other(SECURITY)


def _failed(kind: str, *, status: int = 400) -> Response:
    """One page for whatever went wrong; what it was stands in the log only."""
    log.warning("oidc_sign_in_failed", extra={"kind": kind})
    return page("portal/oidc_failed.html", status=status)
