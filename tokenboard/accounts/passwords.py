"""Passwords: what may be one, how it is kept, how it is checked.

Laws: a password is taken exactly as typed, 8 to 128 characters, no rules of composition; it must not stand in
`blocked_passwords.txt` nor repeat the e-mail; it is kept as bcrypt of base64(HMAC-SHA256(pepper, password)), because
bcrypt 5 refuses more than 72 bytes with an exception (also when checking); an unknown person costs the same time.
Sources: reference/security.md 3.1 (bcrypt 5.0.0), OWASP ASVS 5.0 V6.2.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import bcrypt

from tokenboard.core.settings import settings

T = TypeVar("T")

SHORTEST, LONGEST = 8, 128
BLOCKED_FILE = Path(__file__).with_name("blocked_passwords.txt")

# A well-formed hash of nothing: checking against it takes as long as against a real one and never succeeds.
_NOBODY = "$2b${cost:02d}$" + "N" * 21 + "u" + "x" * 31


def fault(password: str, *, email: str = "") -> str | None:
    """Why this cannot be chosen as a password, as a sentence; None when it can."""
    if len(password) < SHORTEST:
        return f"At least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"At most {LONGEST} characters."
    if any("\ud800" <= character <= "\udfff" for character in password):
        return "This has characters that cannot be typed again."
    if password.casefold() in blocked() or _repeats(password, email):
        return "This password is easy to guess. Take another one; a few random words are good."
    return None


def _repeats(password: str, email: str) -> bool:
    """Whether the password is the e-mail or one of its halves."""
    return password.casefold() in {part.casefold() for part in (email, *email.split("@")) if part}


@cache
def blocked() -> frozenset[str]:
    """The passwords everybody tries first, in lower case."""
    lines = BLOCKED_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def hashed(password: str) -> str:
    """How a password is kept."""
    prepared, cost = _prepared(password), settings().bcrypt_cost
    return _aside(lambda: bcrypt.hashpw(prepared, bcrypt.gensalt(cost))).decode()


def matches(password: str, kept: str) -> bool:
    """Whether this is the password that was kept. An empty `kept` (nobody there) takes as long, and never matches."""
    prepared = _prepared(password)
    against = (kept or _NOBODY.format(cost=settings().bcrypt_cost)).encode()
    return _aside(lambda: bcrypt.checkpw(prepared, against)) and bool(kept)


def _prepared(password: str) -> bytes:
    """44 bytes whatever was typed: no length limit, no NUL, and worthless without the pepper."""
    typed = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    mac = hmac.new(settings().password_pepper.encode(), typed, hashlib.sha256)
    return base64.b64encode(mac.digest())


def _aside(work: Callable[[], T]) -> T:
    """Run where it does not stop everybody else: under gevent a hash of 280 ms would hold the whole process."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work()  # a thread of its own; bcrypt lets go of the interpreter lock
    done: T = sys.modules["gevent"].get_hub().threadpool.apply(work)
    return done
