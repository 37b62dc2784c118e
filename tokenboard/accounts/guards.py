"""Who may pass a door: somebody signed in, somebody who has just proven who they are, or an administrator.

Each guard returns whom it let in.
"""

from __future__ import annotations

from datetime import timedelta

from flask import has_request_context, request
from flask_login import current_user

from tokenboard.accounts.errors import FactorNeeded, NotForTokens, OnlyViewing
from tokenboard.accounts.models import Person, SignIn
from tokenboard.accounts.sessions import SignedIn
from tokenboard.core.clock import now
from tokenboard.core.errors import NotConfirmed, NotFound, Unauthenticated
from tokenboard.core.settings import settings
from tokenboard.web.security import SAFE_METHODS

# What is a person's own affair, whoever looks: what they write with models, how they sign in, what leads elsewhere.
_CLOSED_TO_VIEWERS = (
    *("/chat", "/api/chat", "/api/conversations", "/settings/security", "/confirm", "/api/account"),
    *("/api/billing/portal-link", "/login/oidc", "/dev/outbox", "/invitations"),
)
PROOF_LASTS = timedelta(minutes=15)  # after signing in, or after /confirm


def signed_in_or_none() -> SignedIn | None:
    """The request's person with their session; looked up once a request."""
    found = current_user._get_current_object()
    return found if isinstance(found, SignedIn) else None


def signed_in() -> SignedIn:
    """Raises: Unauthenticated, OnlyViewing."""
    found = signed_in_or_none()
    if found is None:
        raise Unauthenticated
    return _may_look(found)


def _may_look(found: SignedIn) -> SignedIn:
    """Every door that acts for somebody asks here who it is: while an administrator looks, none of them writes."""
    if found.viewer is not None and has_request_context():
        if request.method not in SAFE_METHODS:
            raise OnlyViewing
        if any(request.path == one or request.path.startswith(f"{one}/") for one in _CLOSED_TO_VIEWERS):
            raise OnlyViewing("This stays closed to whoever views as somebody else.")
    return found


def person_or_none() -> Person | None:
    """Who asks, if anybody is signed in. Raises: OnlyViewing."""
    found = signed_in_or_none()
    return _may_look(found).person if found else None


def current_person() -> Person:
    """Who asks. Raises: Unauthenticated."""
    return signed_in().person


def current_sign_in() -> SignIn:
    """The session this request belongs to. Raises: Unauthenticated, NotForTokens."""
    sign_in = signed_in().sign_in
    if sign_in is None:
        raise NotForTokens
    return sign_in


def has_recent_proof() -> bool:
    """Whether who sits there has just proven who they are; for pages that say so beforehand."""
    found = signed_in_or_none()
    sign_in = found.sign_in if found else None
    return sign_in is not None and now() - sign_in.proven_at <= PROOF_LASTS


def require_recent_proof() -> SignIn:
    """Step-up, for acts that touch secrets, payments or how one signs in: a session left open is not enough.

    A page's form is led to /confirm and back to its page; a program gets 403 `confirmation_required`.
    Raises: Unauthenticated, NotForTokens, NotConfirmed.
    """
    sign_in = current_sign_in()
    if not has_recent_proof():
        raise NotConfirmed
    return sign_in


def require_admin() -> Person:
    """An administrator; to everybody else the control room does not exist.

    Raises: Unauthenticated, NotFound, FactorNeeded (an administrator without the second factor that is asked for).
    """
    found = signed_in()
    if not found.person.is_admin:
        raise NotFound
    has_factor = found.sign_in is not None and found.sign_in.second_factor_at is not None
    if settings().require_admin_mfa and not has_factor:
        raise FactorNeeded
    return found.person
