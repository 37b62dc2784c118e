"""The front of the house: landing, registration, and the first administrator's account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import setup_links
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import HOME, enter, limit_registration
from tokenboard.accounts.forms import LONGEST_TYPED, display_name
from tokenboard.accounts.guards import person_or_none
from tokenboard.accounts.passwords import LONGEST, SHORTEST
from tokenboard.billing import catalogue_queries, pricing_page
from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.parsing import parse_email
from tokenboard.core.settings import settings
from tokenboard.portal import price_list
from tokenboard.portal.signup import set_up_administrator, sign_up
from tokenboard.web.clients import clients
from tokenboard.web.forms import faults_of, fields, typed
from tokenboard.web.fragments import page, see_other
from tokenboard.web.security import local_path

blueprint = Blueprint("front", __name__)

PACKS = 3  # on the front page; all of them are on /pricing


@blueprint.get("/")
def landing() -> Response | BaseResponse:
    """What this is, for who comes by; who is signed in is led to their own."""
    if person_or_none():
        return see_other(HOME)
    modes = {name: clients().mode(name) for name in ("stripe", "paystack")}
    prices = pricing_page.prices(catalogue_queries.for_sale(), modes, settings(), currency="", is_signed_in=False)
    base_url = settings().base_url
    return page("portal/landing.html", prices=prices, models=price_list.a_few(), base_url=base_url, packs_shown=PACKS)


@blueprint.get("/register")
@password_door
def register() -> Response | BaseResponse:
    onward = local_path(request.args.get("next"), HOME)
    if person_or_none():
        return see_other(onward)
    return _form_page("portal/register.html", onward=onward, email=request.args.get("email", "")[:LONGEST_TYPED])


@blueprint.post("/register")
@password_door
@limit_registration
def create_account() -> Response | BaseResponse:
    onward = local_path(request.form.get("next"), HOME)
    try:
        made = sign_up(**_read())
    except TokenBoardError as refusal:
        db.session.rollback()
        return _form_page("portal/register.html", refusal, onward=onward)
    enter(made.person)
    return see_other(onward)


@blueprint.get("/auth/signup")
def register_alias() -> BaseResponse:
    return redirect("/register" + ("?" + request.query_string.decode("ascii", "ignore") if request.args else ""), 308)


@blueprint.get("/setup/<token>")
@password_door
def set_up(token: str) -> Response:
    setup_links.check(token)
    return _form_page("portal/setup.html", path=request.path)


@blueprint.post("/setup/<token>")
@password_door
@limit_registration
def create_administrator(token: str) -> Response | BaseResponse:
    setup_links.check(token)
    db.session.rollback()  # nothing was written; hashing the password must not hold the transaction
    try:
        made = set_up_administrator(token=token, **_read())
    except TokenBoardError as refusal:
        db.session.rollback()
        return _form_page("portal/setup.html", refusal, path=request.path)
    enter(made.person)
    return see_other(HOME)


def _read() -> dict[str, Any]:
    return fields(request.form, email=parse_email, display_name=display_name, password=typed)


def _form_page(template: str, refusal: TokenBoardError | None = None, *, email: str = "", **more: Any) -> Response:
    """The form; after a refusal with the reasons and what was typed, but never a password."""
    return page(
        template,
        status=refusal.status if refusal else 200,
        faults=faults_of(refusal) if refusal else {},
        email=request.form.get("email", email),
        display_name=request.form.get("display_name", ""),
        shortest=SHORTEST,
        longest=LONGEST,
        **more,
    )
