"""Asking for mailed links: a forgotten password, another e-mail. What they do when used: portal/link_routes.py."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import mailbox_service
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import limit_forgot, limit_letters
from tokenboard.accounts.forms import LONGEST_TYPED
from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.accounts.one_time_links import LIFETIMES, Purpose
from tokenboard.accounts.security_page import SECURITY, security_page
from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.parsing import parse_email
from tokenboard.web.forms import faults_of, fields
from tokenboard.web.fragments import page, see_other

blueprint = Blueprint("mailbox", __name__)

_MINUTES = int(LIFETIMES[Purpose.RESET].total_seconds() // 60)


@blueprint.get("/forgot")
@password_door
def forgot() -> Response:
    return _forgot_page(email=request.args.get("email", "")[:LONGEST_TYPED])


@blueprint.post("/forgot")
@password_door
@limit_forgot
def ask_reset() -> Response | BaseResponse:
    try:
        email = fields(request.form, email=parse_email)["email"]
        mailbox_service.ask_reset(email=email)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _forgot_page(refusal, email=request.form.get("email", "")[:LONGEST_TYPED])
    db.session.commit()
    return see_other("/forgot/sent")


@blueprint.get("/forgot/sent")
@password_door
def reset_sent() -> Response:
    return page("accounts/forgot_sent.html", minutes=_MINUTES)


def _forgot_page(refusal: TokenBoardError | None = None, *, email: str = "") -> Response:
    status, faults = (refusal.status, faults_of(refusal)) if refusal else (200, {})
    return page("accounts/forgot.html", status=status, faults=faults, email=email, minutes=_MINUTES)


@blueprint.post("/settings/security/email")
@limit_letters
def ask_email_change() -> Response | BaseResponse:
    require_recent_proof()
    try:
        email = fields(request.form, email=parse_email)["email"]
        mailbox_service.ask_email_change(current_person(), email=email)
    except TokenBoardError as refusal:
        db.session.rollback()
        return security_page(refusal, block="email_address")
    db.session.commit()
    flash(f"A link is on its way to {email}. Your address changes when it is used.", "success")
    return see_other(SECURITY)
