"""What settings must be together, beyond each being readable: strong secrets, and what production refuses.

Every fault is one sentence that names the setting and its cure; all of them are told at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tokenboard.core.settings_fields import ConfigError, Declaration, weakness

if TYPE_CHECKING:
    from tokenboard.core.config import Settings

Declared = tuple[str, Declaration, object]


def check(settings: Settings, declared: Sequence[Declared]) -> None:
    """Raises: ConfigError for settings that are readable but not safe together."""
    # A secret that opens a door is refused everywhere when it is weak: an unset one keeps the door shut.
    faults = _weak(
        CRON_SECRET=settings.cron_secret,
        ADMIN_API_KEY=settings.admin_api_key,
        METRICS_TOKEN=settings.metrics_token,
        LITELLM_WEBHOOK_SECRET=settings.litellm_webhook_secret,
        OPENWEBUI_JWT_SECRET=settings.openwebui_jwt_secret,
    )
    faults += _people_faults(settings)
    if settings.is_production:
        faults += _production_faults(settings, declared)
    elif settings.is_on_heroku:
        # A dyno faces the world: development there would show every e-mail in its outbox.
        faults.append("TOKENBOARD_ENV must be production on Heroku: heroku config:set TOKENBOARD_ENV=production.")
    if faults:
        raise ConfigError(faults)


def _weak(**secrets: str) -> list[str]:
    return [f"{name} {why}." for name, value in secrets.items() if value and (why := weakness(value))]


def _people_faults(settings: Settings) -> list[str]:
    """Half a sign-in provider is none."""
    faults = []
    if settings.has_oidc and not settings.oidc_client_id:
        faults.append("OIDC_CLIENT_ID is needed with OIDC_DISCOVERY_URL.")
    if settings.oidc_only and not settings.has_oidc:
        faults.append("OIDC_ONLY needs OIDC_DISCOVERY_URL: nobody could come in.")
    if settings.is_production and settings.oidc_discovery_url.startswith("http://"):
        faults.append("OIDC_DISCOVERY_URL must begin with https:// in production.")
    return faults


def _production_faults(settings: Settings, declared: Sequence[Declared]) -> list[str]:
    faults = [
        f"{declaration.name} is required in production. {declaration.doc}"
        for attribute, declaration, default in declared
        if declaration.is_required_in_production and _is_missing(settings, attribute, default)
    ]
    faults += _weak(
        SECRET_KEY=settings.secret_key, JWT_SECRET=settings.jwt_secret, PASSWORD_PEPPER=settings.password_pepper
    )
    if settings.secret_key and settings.secret_key == settings.jwt_secret:
        faults.append("JWT_SECRET must differ from SECRET_KEY.")
    if settings.stripe_secret_key and not any(settings.stripe_webhook_secret):
        faults.append("STRIPE_WEBHOOK_SECRET is needed with STRIPE_SECRET_KEY: without it no webhook is believed.")
    has_litellm_key = settings.litellm_master_key or settings.litellm_chat_key
    if settings.litellm_base_url and not has_litellm_key:
        faults.append(
            "LITELLM_MASTER_KEY or LITELLM_CHAT_KEY is needed with LITELLM_BASE_URL: no model answers without."
        )
    if has_litellm_key and not settings.litellm_base_url:
        faults.append("LITELLM_BASE_URL is needed with a LiteLLM key: without it nobody knows where the proxy is.")
    if not settings.is_https:
        faults.append("BASE_URL must begin with https:// in production.")
    if settings.sandbox_url:
        faults.append("SANDBOX_URL is for development; unset it in production.")
    if settings.bcrypt_cost < 12:
        faults.append("BCRYPT_COST must be at least 12 in production.")
    return faults


def _is_missing(settings: Settings, attribute: str, default: object) -> bool:
    value = getattr(settings, attribute)
    return value == default or (
        attribute == "base_url" and not settings.is_https and value.startswith("http://localhost")
    )
