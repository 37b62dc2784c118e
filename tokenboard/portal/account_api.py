"""JSON doors that span rooms: registration, sign-in, and who am I."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from tokenboard.accounts import service as accounts, tokens
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import enter, limit_registration, limit_sign_in, refuse
from tokenboard.accounts.forms import RegisterBody, SignInBody
from tokenboard.accounts.guards import current_person
from tokenboard.accounts.models import Person
from tokenboard.core.errors import InvalidCredentials
from tokenboard.portal.answers import user_answer
from tokenboard.portal.signup import sign_up
from tokenboard.web.api import Answer, operation
from tokenboard.workspaces import access
from tokenboard.workspaces.answers import workspace_answers

blueprint = Blueprint("account_api", __name__)


@blueprint.post("/api/auth/register")
@password_door
@limit_registration
@operation("Make an account and sign in", body=RegisterBody, auth="none", status=201, tag="Accounts")
def register(body: RegisterBody) -> Answer:
    made = sign_up(email=body.email, password=body.password, display_name=body.display_name)
    return _entered(made.person)


@blueprint.post("/api/auth/login")
@password_door
@limit_sign_in
@operation("Sign in with e-mail and password", body=SignInBody, auth="none", tag="Accounts")
def login(body: SignInBody) -> Answer:
    try:
        person = accounts.authenticate(email=body.email, password=body.password)
    except InvalidCredentials:
        refuse(body.email)
        raise
    return _entered(person)


def _entered(person: Person) -> dict[str, Any]:
    opened = enter(person)
    token, _ = tokens.issue(opened.sign_in, lifetime_seconds=tokens.SESSION_SECONDS)
    return {"user": user_answer(person), "token": token}


@blueprint.get("/api/me")
@blueprint.get("/api/auth/me", endpoint="auth_me")
@operation("Who am I, and which workspaces are mine", tag="Accounts")
def me() -> Answer:
    person = current_person()
    return {"user": user_answer(person), "workspaces": workspace_answers(access.all_of(person))}
