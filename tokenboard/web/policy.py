"""The content policy of every page: what it may load, and where its forms may lead.

Law: browsers hold `form-action` against the redirect that follows a form too, so the pages on which people pay stand
here, each only while its provider is on.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from tokenboard.core.config import Settings

# Checkout, and the portal in which card and plan are managed.
_STRIPE_PAGES = ("https://checkout.stripe.com", "https://billing.stripe.com")
_PAYSTACK_PAGES = ("https://checkout.paystack.com",)


def content_policy(settings: Settings) -> str:
    """The header's text, the same for all pages of an application."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "font-src 'self'",
            "manifest-src 'self'",
            " ".join(("form-action 'self'", *form_targets(settings))),
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )


def form_targets(settings: Settings) -> tuple[str, ...]:
    """Where a form of ours may end besides this site: the pages of providers that are on, or of their stand-in."""
    stand_ins = (settings.stripe_api_base, settings.paystack_base_url, settings.sandbox_url)
    pages = (
        *(_STRIPE_PAGES if settings.stripe_secret_key else ()),
        *(_PAYSTACK_PAGES if settings.paystack_secret_key else ()),
        *(_origin(url) for url in stand_ins if url),
    )
    return tuple(dict.fromkeys(pages))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
