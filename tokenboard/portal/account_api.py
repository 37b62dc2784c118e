"""JSON doors that span rooms: registration, sign-in, and who am I."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from tokenboard.accounts import second_factor_service, service as accounts, tokens
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import enter, limit_registration, limit_sign_in, refuse
from tokenboard.accounts.errors import CodeNeeded
from tokenboard.accounts.forms import RegisterBody, SignInBody
from tokenboard.accounts.guards import current_person
from tokenboard.accounts.models import Person
from tokenboard.core.errors import InvalidCredentials
from tokenboard.portal.answers import user_answer
from tokenboard.portal.shapes import User
from tokenboard.portal.signup import sign_up
from tokenboard.web.api import Answer, operation
from tokenboard.workspaces import access
from tokenboard.workspaces.answers import workspace_answers
from tokenboard.workspaces.shapes import Workspace

blueprint = Blueprint("account_api", __name__)


@blueprint.post("/api/auth/register")
@password_door
@limit_registration
@operation(
    "Make an account and sign in",
    body=RegisterBody,
    auth="none",
    status=201,
    tag="Accounts",
    answer={"user": User, "token": str},
    errors=(403, 409),
)
def register(body: RegisterBody) -> Answer:
    made = sign_up(email=body.email, password=body.password, display_name=body.display_name)
    return _entered(made.person)


@blueprint.post("/api/auth/login")
@password_door
@limit_sign_in
@operation(
    "Sign in with e-mail and password",
    body=SignInBody,
    auth="none",
    tag="Accounts",
    answer={"user": User, "token": str},
    errors=(401, 403),
)
def login(body: SignInBody) -> Answer:
    try:
        person = accounts.authenticate(email=body.email, password=body.password)
    except InvalidCredentials:
        refuse(body.email)
        raise
    return _entered(person, has_second_factor=_shown(person, body.code))


def _shown(person: Person, code: str) -> bool:
    """Whether a second factor was asked for and shown. Raises: CodeNeeded, InvalidCredentials."""
    if not second_factor_service.is_on(person.id):
        return False
    if not code:
        raise CodeNeeded
    if not second_factor_service.take(person.id, code):
        refuse(person.email)
        raise InvalidCredentials
    return True


def _entered(person: Person, *, has_second_factor: bool = False) -> dict[str, Any]:
    opened = enter(person, has_second_factor=has_second_factor)
    token, _ = tokens.issue(opened.sign_in, lifetime_seconds=tokens.SESSION_SECONDS)
    return {"user": user_answer(person), "token": token}


@blueprint.get("/api/me")
@blueprint.get("/api/auth/me", endpoint="auth_me")
@operation(
    "Who am I, and which workspaces are mine", tag="Accounts", answer={"user": User, "workspaces": list[Workspace]}
)
def me() -> Answer:
    person = current_person()
    return {"user": user_answer(person), "workspaces": workspace_answers(access.all_of(person))}
