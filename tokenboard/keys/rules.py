"""Pure decisions about virtual keys: how a secret looks, which window a budget counts in, whether a key may be used.

Laws: a secret is 240 random bits behind a fixed prefix, so that scanners find a leaked one; what is kept of it is its
SHA-256, which is also LiteLLM's name for it, and its first letters.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tokenboard.core.clock import Month

PREFIX = "sk-tb-"
SHOWN_CHARACTERS = len(PREFIX) + 4
SECRET_BYTES = 30  # 40 characters of base64
LONGEST_SECRET = 128  # what a caller may send before it is hashed
LONGEST_OVERLAP = timedelta(days=30)
MOST_KEYS = 500  # of one workspace, revoked ones left out
MOST_SECRETS = 2  # that are valid at once: the new one and the one being replaced


class KeyState(StrEnum):
    """What a key may."""

    ACTIVE = "active"
    PAUSED = "paused"  # refused until somebody, or the credits that were missing, resume it
    REVOKED = "revoked"  # for good


class PauseReason(StrEnum):
    """Why a key is paused, which says who may resume it."""

    PERSON = "person"  # its owner, or an admin of the workspace
    CREDITS = "credits"  # it overdrew the wallet; resumed by itself when there are credits again
    LEAVER = "leaver"  # its person left the workspace; an admin decides
    ADMIN = "admin"  # the site's administrator


class Window(StrEnum):
    """In which time a key's budget counts. UTC days and months; nothing is ever reset, the window moves on."""

    TOTAL = "total"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a key may at most. None and empty: no limit of its own; the wallet is always one."""

    max_budget_micros: int | None = None
    window: Window = Window.MONTH
    models: tuple[str, ...] = ()
    rpm_limit: int | None = None
    tpm_limit: int | None = None
    expires_at: datetime | None = None
    allowed_ips: tuple[str, ...] = ()


def request_mark(person_id: str, name: str, limits: Limits, tags: tuple[str, ...]) -> str:
    """What tells one wish for a key from another under the same idempotency key."""
    asked = [person_id, name, asdict(limits), tags]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def new_secret() -> str:
    """A fresh secret, to be shown once."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def secret_hash(secret: str) -> str:
    """How a secret is kept, and what LiteLLM calls the key (`hash_token` in its proxy/utils.py)."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def display(secret: str) -> str:
    """What tells keys apart on a page: `sk-tb-ab12…`."""
    return f"{secret[:SHOWN_CHARACTERS]}…"


def alias(key_id: str, number: int) -> str:
    """The name of one secret at LiteLLM: unique there, so that making it twice is making it once."""
    return f"tb-{key_id}-{number}"


def window_name(window: Window, at: datetime) -> str:
    """The window that an instant falls into: `total`, `2026-11` or `2026-11-28`."""
    if window is Window.TOTAL:
        return "total"
    return str(Month.of(at.date())) if window is Window.MONTH else at.date().isoformat()


def is_usable(*, state: str, expires_at: datetime | None, at: datetime) -> bool:
    """Whether a key may be used at an instant, as far as the key itself says."""
    return state == KeyState.ACTIVE and (expires_at is None or at < expires_at)


def is_secret_valid(*, valid_until: datetime | None, revoked_at: datetime | None, at: datetime) -> bool:
    """Whether one secret of a key still opens it."""
    return revoked_at is None and (valid_until is None or at < valid_until)


def allows_model(models: tuple[str, ...] | list[str], model: str) -> bool:
    """Whether a key may ask this model; an empty list means all that are offered."""
    return not models or model in models


def status_words(*, state: str, expires_at: datetime | None, at: datetime) -> str:
    """`active`, `paused`, `expired` or `revoked`, as the API and the pages say it."""
    is_over = expires_at is not None and at >= expires_at and state != KeyState.REVOKED
    return "expired" if is_over else state
