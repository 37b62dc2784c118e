"""JSON doors of accounts: a short token, and signing out."""

from __future__ import annotations

from flask import Blueprint

from tokenboard.accounts import service, sessions, tokens
from tokenboard.accounts.guards import current_sign_in, signed_in_or_none
from tokenboard.core.db import db
from tokenboard.web.api import Answer, operation
from tokenboard.web.security import uses_cookies

blueprint = Blueprint("accounts_api", __name__)


@blueprint.post("/api/auth/token")
@operation("A token for 15 minutes, bound to this session", tag="Accounts")
def token() -> Answer:
    issued, ends = tokens.issue(current_sign_in(), lifetime_seconds=tokens.SHORT_SECONDS)
    return {"token": issued, "expiresAt": ends}


@blueprint.post("/api/auth/logout")
@blueprint.post("/api/logout", endpoint="logout_short")
@operation("End this session, and every token bound to it", auth="none", status=204, tag="Accounts")
def logout() -> Answer:
    found = signed_in_or_none()
    if found is not None:
        service.end_session(found.sign_in)
        db.session.commit()
    if uses_cookies():
        sessions.drop()
    return {}
