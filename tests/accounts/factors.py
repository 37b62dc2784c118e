"""Two-step sign-in as the tests do it: turning it on, and what the app on the phone shows."""

from __future__ import annotations

import re
from html import unescape

import pyotp

from tests.people import Browser
from tokenboard.core.clock import now

SECURITY = "/settings/security"
FACTOR = f"{SECURITY}/second-factor"


def code(secret: str, *, steps: int = 0) -> str:
    """What the app shows now, or some steps of 30 seconds from now."""
    return pyotp.TOTP(secret).at(int(now().timestamp()) + 30 * steps)


def begin(browser: Browser) -> str:
    """The secret that a new set-up shows."""
    begun = browser.post(FACTOR)
    assert begun.location == FACTOR, begun.text
    shown = re.findall(r'<code id="factor_secret">([^<]+)</code>', browser.get(FACTOR).text)[0]
    return shown.replace(" ", "")


def turn_on(browser: Browser, *, steps: int = -1) -> tuple[str, list[str]]:
    """The secret and the recovery codes, with the code of the step before: the present one stays unused.

    Where the clock runs take the present one (`steps=0`): it still counts when the step ends in between.
    """
    secret = begin(browser)
    answer = browser.post(f"{FACTOR}/confirm", {"code": code(secret, steps=steps)})
    assert answer.status_code == 201, answer.text
    return secret, recovery_codes(answer.text)


def recovery_codes(page: str) -> list[str]:
    """Those a page shows."""
    return unescape(re.findall(r'<code id="recovery_codes">([^<]+)</code>', page)[0]).split()
