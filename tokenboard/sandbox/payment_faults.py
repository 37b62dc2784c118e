"""What goes wrong at a payment provider, to order: before the act, or after it, when the answer is what gets lost.

`500`, `503`, `429`, `429-long`, `revoked`, `slow`, `hangup`, `html`, `garbage`, `list`, `deep`, `huge`, `redirect`:
nothing happened.
`after-500`, `after-slow`, `after-hangup`: it did happen, and the caller is not told. `early`: the webhooks of this
call arrive before its answer.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from tokenboard.sandbox.faults import FAULTS, answer

_SAME = ("slow", "hangup", "html", "garbage", "list", "deep", "huge", "redirect")
_STRIPE = {
    500: ("api_error", None, "An unknown error occurred."),
    503: ("api_error", None, "Stripe is temporarily unavailable."),
    429: ("invalid_request_error", "rate_limit", "Request rate limit exceeded. Learn more about rate limits."),
    401: ("invalid_request_error", None, "Invalid API Key provided: sk_test_****"),
}
_PAYSTACK = {
    500: "An error occurred, please try again",
    503: "Service unavailable",
    429: "Too many requests, please slow down",
    401: "Invalid key",
}
PAYMENT_FAULTS = frozenset(
    ("500", "503", "429", "429-long", "revoked", "early", "after-500", "after-slow", "after-hangup", *_SAME)
)


def refusal(provider: str, status: int, **headers: str) -> Response:
    """The provider's own words for a status it gives without having looked at the call."""
    if provider == "paystack":
        return answer({"status": False, "message": _PAYSTACK[status]}, status, headers)
    kind, code, words = _STRIPE[status]
    told = {"type": kind, "message": words} | ({"code": code} if code else {})
    return answer({"error": told}, status, headers)


def _numbered(status: int, headers: dict[str, str] | None = None) -> Callable[[str], Response | None]:
    return lambda provider: refusal(provider, status, **(headers or {}))


_BEFORE: dict[str, Callable[[str], Response | None]] = {
    "500": _numbered(500),
    "503": _numbered(503),
    "429": _numbered(429, {"Retry-After": "1"}),
    "429-long": _numbered(429, {"Retry-After": "3600"}),
    "revoked": _numbered(401),
    **{name: FAULTS[name] for name in _SAME},
}


def before(fault: str | None, provider: str) -> Response | None:
    """The answer of a fault that strikes before anything happens."""
    return _BEFORE[fault](provider) if fault in _BEFORE else None


def after(fault: str | None, provider: str) -> Response | None:
    """The answer that takes the true one's place, when the act itself went well."""
    if fault is None or not fault.startswith("after-"):
        return None
    return _BEFORE[fault.removeprefix("after-")](provider)
