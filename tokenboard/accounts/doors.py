"""Which ways in are open: passwords, the sign-in provider, or both. OIDC_ONLY closes every password door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from flask import request

from tokenboard.accounts.errors import PasswordsClosed
from tokenboard.core.settings import settings
from tokenboard.web.errors import wants_json
from tokenboard.web.fragments import see_other

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Doors:
    """What a page offers to who is not signed in."""

    provider: str  # what the button calls it; empty: there is none
    has_password: bool


def doors() -> Doors:
    """The open ones."""
    here = settings()
    return Doors(here.oidc_name if here.has_oidc else "", not here.oidc_only)


def password_door(view: View) -> View:
    """Shut where people come in through the provider alone: a page leads to the sign-in, whatever else is refused."""

    @wraps(view)
    def guarded(**path: Any) -> Any:
        if settings().oidc_only:
            if request.method == "GET" and not wants_json():
                return see_other("/login")
            raise PasswordsClosed(settings().oidc_name)
        return view(**path)

    guarded.is_password_door = True  # type: ignore[attr-defined]
    return cast(View, guarded)
