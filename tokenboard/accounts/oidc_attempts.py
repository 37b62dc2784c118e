"""Sign-ins at the provider that this browser has begun, and an identity that waits to be connected.

Laws: both live in the signed session cookie, for minutes; an attempt is taken once, by its state, so that an answer
cannot be replayed or brought by somebody else; a browser keeps few and short ones, or the cookie would overflow.
Source: reference/oidc.md C2 (twelve unfinished sign-ins were 2,515 bytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import session

from tokenboard.core.clock import now
from tokenboard.providers.oidc_client import Attempt, Claims

ATTEMPTS, WAITING = "oidc_attempts", "oidc_waiting"
MOST_ATTEMPTS = 3  # the oldest is forgotten first: tabs, and clicks that were given up
LONGEST_ONWARD = 200  # a page further than that is not led back to
LIFETIME_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt as its answer finds it. `purpose`: sign_in, confirm, connect."""

    nonce: str
    verifier: str
    onward: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An identity that has proven itself, and whose account is still to be proven."""

    issuer: str
    subject: str
    email: str


def remember(attempt: Attempt, *, onward: str, purpose: str) -> None:
    """Keep what the answer must match."""
    onward = onward if len(onward) <= LONGEST_ONWARD else "/"
    others = list(_live(ATTEMPTS))[1 - MOST_ATTEMPTS :]
    session[ATTEMPTS] = [*others, [_instant(), attempt.state, attempt.nonce, attempt.verifier, onward, purpose]]


def take(state: str) -> Begun | None:
    """The attempt with this state, which ends with this; None for an unknown, used or old one."""
    live = list(_live(ATTEMPTS))
    found = next((one for one in live if one[1] == state), None)
    session[ATTEMPTS] = [one for one in live if one is not found]
    return Begun(*found[2:]) if found else None


def hold(claims: Claims) -> None:
    """Let this identity wait until its account has been proven."""
    session[WAITING] = [[_instant(), claims.issuer, claims.subject, claims.email[:254]]]


def held() -> Waiting | None:
    """The identity that waits in this browser."""
    found = next(iter(_live(WAITING)), None)
    return Waiting(*found[1:]) if found else None


def let_go() -> None:
    """It waits no more."""
    session.pop(WAITING, None)


def _live(key: str) -> list[Any]:
    return [one for one in session.get(key, []) if _instant() - one[0] <= LIFETIME_SECONDS]


def _instant() -> int:
    return int(now().timestamp())
