"""Pages of accounts: sign-in, sign-out, colours, and one's own sessions."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, request, session
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import queries, rules, service, sessions
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import (
    HOME,
    enter_or_ask,
    enter_with_code,
    limit_second_step,
    limit_sign_in,
    refuse,
    waits_for_code,
)
from tokenboard.accounts.errors import LinkUsed
from tokenboard.accounts.forms import LONGEST_TYPED, THEMES
from tokenboard.accounts.guards import current_person, current_sign_in, person_or_none, signed_in_or_none
from tokenboard.accounts.models import Method
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import InvalidCredentials, NotConfigured, NotFound
from tokenboard.core.settings import settings
from tokenboard.providers.oidc_client import OidcFailed
from tokenboard.web.clients import clients
from tokenboard.web.forms import fields, one_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.paths import page_shown
from tokenboard.web.security import local_path

blueprint = Blueprint("accounts", __name__)

_SIGNED_OUT = "signed_out"


@blueprint.get("/login")
def sign_in() -> Response | BaseResponse:
    onward = local_path(request.args.get("next"), HOME)
    return see_other(onward) if person_or_none() else _sign_in_page(onward)


@blueprint.post("/login")
@password_door
@limit_sign_in
def check_sign_in() -> Response | BaseResponse:
    onward = local_path(request.form.get("next"), HOME)
    email = request.form.get("email", "")[:LONGEST_TYPED]
    try:
        person = service.authenticate(email=email, password=request.form.get("password", "")[:LONGEST_TYPED])
    except InvalidCredentials as refused:
        refuse(email)
        return _sign_in_page(onward, email=email, fault=refused.message, status=422)
    return see_other(onward if enter_or_ask(person) else f"/login/code?next={quote(onward)}")


@blueprint.get("/login/code")
def ask_for_code() -> Response | BaseResponse:
    onward = local_path(request.args.get("next"), HOME)
    return _code_page(onward) if waits_for_code() else see_other("/login")


@blueprint.post("/login/code")
@limit_second_step
def check_code() -> Response | BaseResponse:
    onward = local_path(request.form.get("next"), HOME)
    try:
        enter_with_code(request.form.get("code", ""))
    except InvalidCredentials:
        return _code_page(onward, fault="That code is wrong, old, or was used already.", status=422)
    except LinkUsed:
        flash("That took too long. Please sign in again.", "info")
        return see_other("/login")
    return see_other(onward)


def _code_page(onward: str, *, fault: str = "", status: int = 200) -> Response:
    return page("accounts/login_code.html", status=status, onward=onward, fault=fault)


def _sign_in_page(onward: str, *, email: str = "", fault: str = "", status: int = 200) -> Response:
    return page("accounts/login.html", status=status, onward=onward, email=email, fault=fault, home=HOME)


@blueprint.get("/auth/signin")
def sign_in_alias() -> BaseResponse:
    return redirect("/login" + ("?" + request.query_string.decode("ascii", "ignore") if request.args else ""), 308)


@blueprint.post("/logout")
def sign_out() -> BaseResponse:
    found = signed_in_or_none()
    ended = found.sign_in if found else None
    if ended is not None:
        service.end_session(ended)
        db.session.commit()
    sessions.drop()
    is_elsewhere_too = ended is not None and ended.method == Method.OIDC and settings().has_oidc
    if ended is not None and is_elsewhere_too:
        session[_SIGNED_OUT] = ended.id
    else:
        flash("You are signed out.", "success")
    answer = see_other("/signed-out" if is_elsewhere_too else "/login")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@blueprint.get("/signed-out")
def signed_out() -> Response | BaseResponse:
    """Signing out at the provider too, where it has a place for that."""
    hint = service.provider_hint(str(session.pop(_SIGNED_OUT, new_id())))
    db.session.rollback()  # the provider is asked outside any transaction
    try:
        back = f"{settings().base_url}/login"
        url = None if hint is None else clients().oidc().sign_out_url(id_token=hint, back_to=back)
    except (OidcFailed, NotConfigured):
        url = None
    if url is None:
        flash("You are signed out.", "success")
        return see_other("/login")
    return page("accounts/signed_out.html", url=url)


@blueprint.post("/theme")
def choose_theme() -> BaseResponse:
    theme = fields(request.form, theme=one_of(*THEMES))["theme"]
    person = person_or_none()
    if person is None:
        session["theme"] = theme
    else:
        service.choose_theme(person, theme=theme)
        db.session.commit()
    return see_other(page_shown("/"))


@blueprint.get("/account")
def account() -> Response:
    person = current_person()
    live = queries.live_sessions(person.id)
    return page(
        "accounts/account.html",
        person=person,
        sessions=[(one, rules.device(one.user_agent)) for one in live],
        current_id=current_sign_in().id,
    )


@blueprint.post("/account/sessions/<id:sign_in_id>/end")
def end_session(sign_in_id: str) -> BaseResponse:
    one = queries.session_of(current_person().id, sign_in_id)
    if one is None:
        raise NotFound
    service.end_session(one)
    db.session.commit()
    flash("That session has ended.", "success")
    return see_other("/account")


@blueprint.post("/account/sessions/end-others")
def end_other_sessions() -> BaseResponse:
    service.end_sessions(current_person(), but=current_sign_in())
    db.session.commit()
    flash("You are signed out everywhere else.", "success")
    return see_other("/account")
