"""What Settings, Security shows, and what its forms show again after a refusal."""

from __future__ import annotations

from flask import Response, request

from tokenboard.accounts import oidc_service, queries, rules
from tokenboard.accounts.guards import current_person, current_sign_in, has_recent_proof
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.settings import settings
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page

SECURITY = "/settings/security"
_FRAGMENTS = ("email_address", "sessions")


def security_page(refusal: TokenBoardError | None = None, *, block: str = "") -> Response:
    """The page; after a refusal the form in `block` says why and keeps what was typed, but never a password."""
    person = current_person()
    return page(
        "accounts/security.html",
        fragments=_FRAGMENTS,
        status=refusal.status if refusal else 200,
        person=person,
        block=block,
        faults=faults_of(refusal) if refusal else {},
        typed=request.form if refusal else {},
        sessions=[(one, rules.device(one.user_agent)) for one in queries.live_sessions(person.id)],
        identities=oidc_service.identities(person.id),
        current_id=current_sign_in().id,
        is_proven=has_recent_proof(),
        has_mail=bool(settings().smtp_url),
        is_production=settings().is_production,
    )
