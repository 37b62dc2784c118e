"""What Settings, Security shows, and what its forms show again after a refusal."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from tokenboard.accounts import api_tokens, oidc_service, queries, rules, second_factor_service
from tokenboard.accounts.guards import current_person, current_sign_in
from tokenboard.accounts.models import Person
from tokenboard.accounts.passwords import LONGEST, SHORTEST
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.settings import settings
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page

SECURITY = "/settings/security"
_FRAGMENTS = ("email_address", "password", "second_factor", "api_tokens")
TOKEN_DAYS = (("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("0", "Until I end it"))


def security_page(
    refusal: TokenBoardError | None = None, *, block: str = "", secret: str = "", codes: list[str] | None = None
) -> Response:
    """The page; after a refusal the form in `block` says why and keeps what was typed, but never a password.

    `secret` and `codes`, a new API token and new recovery codes, are shown this once: the answer is no redirect.
    """
    person = current_person()
    return page(
        "accounts/security.html",
        fragments=_FRAGMENTS,
        status=refusal.status if refusal else 201 if secret or codes else 200,
        person=person,
        block=block,
        faults=faults_of(refusal) if refusal else {},
        typed=request.form if refusal else {},
        secret=secret,
        codes=codes or [],
        **_ways_in(person),
        **_here(),
    )


def _ways_in(person: Person) -> dict[str, Any]:
    return {
        "identities": oidc_service.identities(person.id),
        "has_factor": second_factor_service.is_on(person.id),
        "codes_left": second_factor_service.codes_left(person.id),
        "tokens": api_tokens.live_tokens(person.id),
        "token_days": TOKEN_DAYS,
        "sessions": [(one, rules.device(one.user_agent)) for one in queries.live_sessions(person.id)],
        "current_id": current_sign_in().id,
    }


def _here() -> dict[str, Any]:
    here = settings()
    return {
        "shortest": SHORTEST,
        "longest": LONGEST,
        "needs_factor": here.require_admin_mfa,
        "has_mail": bool(here.smtp_url),
        "is_production": here.is_production,
    }
