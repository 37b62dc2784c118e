"""Who may give credits by a program: whoever has the operator's admin key."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import request

from tokenboard.core.crypto import same_secret
from tokenboard.core.errors import NotConfigured, Unauthenticated
from tokenboard.core.settings import settings

View = TypeVar("View", bound=Callable[..., Any])

HEADER = "X-Admin-Key"


def admin_key_only(view: View) -> View:
    """Check the key before anything of the input is read: a stranger learns nothing of its shape."""

    @wraps(view)
    def guarded(**path: Any) -> Any:
        require_admin_key()
        return view(**path)

    return guarded  # type: ignore[return-value]


def require_admin_key() -> None:
    """Compared in constant time. Raises: NotConfigured, Unauthenticated."""
    expected = settings().admin_api_key
    if not expected:
        raise NotConfigured("Giving credits by API is off: set ADMIN_API_KEY.", setting="ADMIN_API_KEY")
    if not same_secret(request.headers.get(HEADER, ""), expected):
        raise Unauthenticated("The x-admin-key header is missing or wrong.")
