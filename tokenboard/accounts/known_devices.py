"""Browsers in which somebody has signed in before, so that what strangers try does not keep them out.

Refused tries for one e-mail make everybody wait longer and longer, but for a browser that has signed in with it: that
one is counted by itself. Laws: the cookie opens nothing, it only names a counter; it is signed, holds no address, and
survives signing out. Source: OWASP, Slow Down Online Guessing Attacks with Device Cookies.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, after_this_request, request
from itsdangerous import BadData, URLSafeTimedSerializer

from tokenboard.core.settings import settings
from tokenboard.web.limits import email_mark

LIFETIME_SECONDS = 180 * 86_400
MOST_PEOPLE = 8  # of one browser; the one who came first is forgotten first


@dataclass(frozen=True, slots=True)
class Device:
    """One browser, and the marks of the e-mails that have signed in here."""

    id: str
    people: Sequence[str] = ()


def known_as(mark: str) -> str | None:
    """This browser's id when that e-mail has signed in here before."""
    device = _device()
    return device.id if device and mark in device.people else None


def remember(email: str) -> None:
    """Let this browser be known for this e-mail from now on."""
    mark = email_mark(email)
    before = _device() or Device(secrets.token_hex(16))
    others = [one for one in before.people if one != mark]
    value = _signer().dumps([before.id, [*others[1 - MOST_PEOPLE :], mark]])

    @after_this_request
    def write(answer: Response) -> Response:
        answer.set_cookie(
            _cookie_name(),
            value,
            max_age=LIFETIME_SECONDS,
            secure=settings().is_https,
            httponly=True,
            samesite="Lax",
        )
        return answer


def _device() -> Device | None:
    try:
        identity, people = _signer().loads(request.cookies.get(_cookie_name(), ""), max_age=LIFETIME_SECONDS)
    except BadData:
        return None
    return Device(identity, people)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt="known device")


def _cookie_name() -> str:
    # The __Host- prefix needs https, as with the session's cookie.
    return "__Host-tb-device" if settings().is_https else "tb_device"
