"""JSON doors to one's own security: password, second factor, API tokens, sessions, another e-mail."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint

from tokenboard.accounts import (
    api_tokens,
    mailbox_service,
    proof_service,
    queries,
    rules,
    second_factor_rules,
    second_factor_service,
    service,
    shapes,
)
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import limit_confirming, limit_letters
from tokenboard.accounts.forms import CodeBody, ForgotBody, PasswordBody, TokenBody
from tokenboard.accounts.guards import current_person, current_sign_in, require_recent_proof
from tokenboard.accounts.models import SignIn
from tokenboard.accounts.security_models import ApiToken
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.settings import settings
from tokenboard.web.api import Answer, operation
from tokenboard.web.shapes import Cursor

blueprint = Blueprint("security_api", __name__, url_prefix="/api/account")

_TAG = "Accounts"


@blueprint.post("/password")
@password_door
@limit_confirming
@operation("Change the password; other sessions end", body=PasswordBody, status=204, tag=_TAG, errors=(409,))
def change_password(body: PasswordBody) -> Answer:
    sign_in = require_recent_proof()
    proof_service.change_password(current_person(), sign_in, current=body.current_password, password=body.password)
    db.session.commit()
    return {}


@blueprint.post("/email")
@limit_letters
@operation("Mail a link that changes the e-mail", body=ForgotBody, status=202, tag=_TAG, errors=(409,))
def change_email(body: ForgotBody) -> Answer:
    require_recent_proof()
    mailbox_service.ask_email_change(current_person(), email=body.email)
    db.session.commit()
    return {}


@blueprint.post("/second-factor")
@operation(
    "Begin two-step sign-in: the secret for an authenticator app",
    status=201,
    tag=_TAG,
    answer={"secret": str, "address": str},
    errors=(409,),
)
def begin_factor() -> Answer:
    require_recent_proof()
    person = current_person()
    second_factor_service.begin(person)
    db.session.commit()
    secret = second_factor_service.pending_secret(person)
    site = urlsplit(settings().base_url).netloc
    return {"secret": secret, "address": second_factor_rules.address(secret, email=person.email, site=site)}


@blueprint.post("/second-factor/confirm")
@limit_confirming
@operation(
    "Turn two-step sign-in on with the first code; answers the recovery codes",
    body=CodeBody,
    tag=_TAG,
    answer={"recovery_codes": list[str]},
    errors=(409,),
)
def confirm_factor(body: CodeBody) -> Answer:
    require_recent_proof()
    codes = second_factor_service.confirm(current_person(), current_sign_in(), code=body.code)
    db.session.commit()
    return {"recoveryCodes": codes}


@blueprint.delete("/second-factor")
@operation("Turn two-step sign-in off", status=204, tag=_TAG, errors=(409,))
def remove_factor() -> Answer:
    require_recent_proof()
    second_factor_service.remove(current_person())
    db.session.commit()
    return {}


@blueprint.get("/tokens")
@operation(
    "My API tokens, without their secrets", tag=_TAG, answer={"tokens": list[shapes.ApiToken], "next_cursor": Cursor}
)
def tokens() -> Answer:
    return {"tokens": [_token(one) for one in api_tokens.live_tokens(current_person().id)], "nextCursor": None}


@blueprint.post("/tokens")
@operation(
    "Make an API token; its secret is answered this once",
    body=TokenBody,
    status=201,
    tag=_TAG,
    answer={"token": shapes.ApiToken, "secret": str},
    errors=(409,),
)
def make_token(body: TokenBody) -> Answer:
    require_recent_proof()
    row, secret = api_tokens.make(current_person(), name=body.name, days=body.days)
    db.session.commit()
    return {"token": _token(row), "secret": secret}


@blueprint.delete("/tokens/<id:token_id>")
@operation("End an API token", status=204, tag=_TAG)
def end_token(token_id: str) -> Answer:
    api_tokens.end(current_person(), token_id=token_id)
    db.session.commit()
    return {}


@blueprint.get("/sessions")
@operation(
    "Where I am signed in", tag=_TAG, answer={"sessions": list[shapes.Session], "next_cursor": Cursor}, errors=(403,)
)
def sessions() -> Answer:
    here = current_sign_in().id
    live = queries.live_sessions(current_person().id)
    return {"sessions": [_session(one) | {"isCurrent": one.id == here} for one in live], "nextCursor": None}


@blueprint.delete("/sessions/<id:sign_in_id>")
@operation("End one of my sessions", status=204, tag=_TAG)
def end_session(sign_in_id: str) -> Answer:
    one = queries.session_of(current_person().id, sign_in_id)
    if one is None:
        raise NotFound
    service.end_session(one)
    db.session.commit()
    return {}


def _token(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "last4": row.last4,
        "createdAt": row.created_at,
        "expiresAt": row.expires_at,
        "lastUsedAt": row.last_used_at,
    }


def _session(one: SignIn) -> dict[str, Any]:
    return {
        "id": one.id,
        "device": rules.device(one.user_agent),
        "network": one.ip_address,
        "createdAt": one.created_at,
        "lastSeenAt": one.last_seen_at,
    }
