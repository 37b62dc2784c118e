"""JSON doors of accounts: a short token, proving who sits there, a new password by mail, signing out."""

from __future__ import annotations

from flask import Blueprint

from tokenboard.accounts import mailbox_service, proof_service, service, sessions, tokens
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import limit_confirming, limit_forgot
from tokenboard.accounts.forms import ConfirmBody, ForgotBody
from tokenboard.accounts.guards import current_sign_in, signed_in_or_none
from tokenboard.core.db import db
from tokenboard.web.api import Answer, operation
from tokenboard.web.security import uses_cookies
from tokenboard.web.shapes import Instant

blueprint = Blueprint("accounts_api", __name__)


@blueprint.post("/api/auth/token")
@operation(
    "A token for 15 minutes, bound to this session", tag="Accounts", answer={"token": str, "expires_at": Instant}
)
def token() -> Answer:
    issued, ends = tokens.issue(current_sign_in(), lifetime_seconds=tokens.SHORT_SECONDS)
    return {"token": issued, "expiresAt": ends}


@blueprint.post("/api/auth/logout")
@blueprint.post("/api/logout", endpoint="logout_short")
@operation("End this session, and every token bound to it", auth="none", status=204, tag="Accounts")
def logout() -> Answer:
    found = signed_in_or_none()
    if found is not None and found.sign_in is not None:
        service.end_session(found.sign_in)
        db.session.commit()
    if uses_cookies():
        sessions.drop()
    return {}


@blueprint.post("/api/auth/confirm")
@limit_confirming
@operation(
    "Prove again that it is you, for acts that ask for it", body=ConfirmBody, status=204, tag="Accounts", errors=(409,)
)
def confirm(body: ConfirmBody) -> Answer:
    proof_service.confirm(current_sign_in(), password=body.password, code=body.code)
    db.session.commit()
    return {}


@blueprint.post("/api/auth/forgot")
@password_door
@limit_forgot
@operation("Mail a link for a new password", body=ForgotBody, auth="none", status=202, tag="Accounts", errors=(403,))
def forgot(body: ForgotBody) -> Answer:
    mailbox_service.ask_reset(email=body.email)
    db.session.commit()
    return {}
