"""Who may call, in the OpenAPI document: the schemes, and which of them a kind of call asks for."""

from __future__ import annotations

from typing import Any

from tokenboard.web.security import SAFE_METHODS

Json = dict[str, Any]


def _bearer(description: str) -> Json:
    return {"type": "http", "scheme": "bearer", "description": description}


def _header(name: str, description: str) -> Json:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


def schemes(cookie_name: str) -> Json:
    """`components.securitySchemes`."""
    return {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name,
            "description": "The browser's session. Calls that change something also need `csrf`.",
        },
        "csrf": _header("X-CSRFToken", "The session's token, as every form of a page holds it."),
        "token": _bearer(
            "An API token (`/settings/security`), or the token that `POST /api/auth/login` and `/api/auth/token` "
            "answer. No cookie is looked at beside it and no CSRF token is needed."
        ),
        "virtualKey": _bearer("A virtual key (`sk-tb-…`) of `/keys`."),
        "openWebUi": _header("X-OpenWebUI-User-Jwt", "Open WebUI's signed identity (OPENWEBUI_JWT_SECRET)."),
        "adminKey": _header("x-admin-key", "ADMIN_API_KEY of the settings."),
        "cronSecret": _bearer("CRON_SECRET of the settings."),
        "metricsToken": _bearer("METRICS_TOKEN of the settings."),
        "litellmSecret": _bearer("LITELLM_WEBHOOK_SECRET of the settings."),
        "stripeSignature": _header("Stripe-Signature", "Stripe's signature over the body."),
        "paystackSignature": _header("x-paystack-signature", "Paystack's signature over the body."),
    }


_ASKED: dict[str, list[Json]] = {
    "none": [],
    "virtual_key": [{"virtualKey": []}, {"openWebUi": []}],
    "admin_key": [{"adminKey": []}],
    "cron": [{"cronSecret": []}],
    "metrics": [{"metricsToken": []}],
    "litellm": [{"litellmSecret": []}],
    "stripe": [{"stripeSignature": []}],
    "paystack": [{"paystackSignature": []}],
}
SIGNED = ("stripe", "paystack", "litellm")


def asked(auth: str, method: str) -> list[Json]:
    """What one call asks for; any one of the list will do. Raises: KeyError for a kind that is not listed here."""
    if auth != "session":
        return _ASKED[auth]
    browser: Json = {"session": []} if method in SAFE_METHODS else {"session": [], "csrf": []}
    return [browser, {"token": []}]
