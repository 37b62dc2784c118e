"""Codes of an authenticator app (TOTP, RFC 6238) and recovery codes. Pure."""

from __future__ import annotations

import re
import secrets

import pyotp

STEP_SECONDS = 30
WINDOW = 1  # steps before and after: clocks of phones are off by some seconds, and typing takes some
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read for something else: no i, l, o, 0, 1
_GROUPS, _GROUP_LENGTH = 6, 4  # 24 of 31 letters: 118 bits, more than the 112 that a fast hash asks for
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def new_secret() -> str:
    """A fresh shared secret of 160 bits, in base32 as authenticator apps take it."""
    return pyotp.random_base32(32)


def address(secret: str, *, email: str, site: str) -> str:
    """What the QR code says to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=f"TokenBoard ({site})")


def matching_step(secret: str, code: str, *, instant: int, last_step: int) -> int | None:
    """The 30-second step whose code this is, later than the last one that was taken; None when there is none.

    Every step is computed and compared in constant time, whether an earlier one matched or not.
    """
    if not _CODE.fullmatch(code):
        return None
    totp, current = pyotp.TOTP(secret), instant // STEP_SECONDS
    steps = range(current - WINDOW, current + WINDOW + 1)
    found = [step for step in steps if pyotp.utils.strings_equal(totp.generate_otp(step), code)]
    return next((step for step in found if step > last_step), None)


def typed_code(text: str) -> str:
    """A code as people type it, without the blanks and dashes in it."""
    return re.sub(r"[\s-]", "", text[:100]).lower()


def new_recovery_codes() -> list[str]:
    """Fresh ones, to be written down."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def _recovery_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def is_recovery_code(code: str) -> bool:
    """Whether a typed code has the shape of one."""
    return len(code) == _GROUPS * _GROUP_LENGTH and set(code) <= set(_ALPHABET)
