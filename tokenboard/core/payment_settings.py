"""The settings of payments: a part of `Settings`, declared here because the list has grown."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tokenboard.core import settings_fields as read
from tokenboard.core.settings_fields import setting


@dataclass(frozen=True)
class PaymentSettings:
    """What is sold, through whom, and for how much."""

    credit_purchase_multiplier: Decimal = setting(
        "CREDIT_PURCHASE_MULTIPLIER",
        read.positive_decimal,
        "How many times the bought credits a buyer gets; frozen on each order and shown before paying.",
        group="Payments",
        default=Decimal(1),
    )

    stripe_secret_key: str = setting(
        "STRIPE_SECRET_KEY",
        read.text,
        "Stripe's secret key. Unset: the sandbox outside production, else no Stripe.",
        group="Payments",
        default="",
        is_secret=True,
    )
    stripe_webhook_secret: tuple[str, ...] = setting(
        "STRIPE_WEBHOOK_SECRET",
        read.names,
        "Signing secrets of the webhook endpoint, comma-separated while one is exchanged. Unset: webhooks answer 503.",
        group="Payments",
        default=(),
        is_secret=True,
    )
    stripe_api_base: str = setting(
        "STRIPE_API_BASE",
        read.http_url,
        "Stripe's API. Unset: https://api.stripe.com, or the sandbox when there is no key.",
        group="Payments",
        default="",
    )
    paystack_secret_key: tuple[str, ...] = setting(
        "PAYSTACK_SECRET_KEY",
        read.names,
        "Paystack's secret key, which also signs its webhooks; former keys after a comma. Unset: as with Stripe.",
        group="Payments",
        default=(),
        is_secret=True,
    )
    paystack_base_url: str = setting(
        "PAYSTACK_BASE_URL",
        read.http_url,
        "Paystack's API. Unset: https://api.paystack.co, or the sandbox when there is no key.",
        group="Payments",
        default="",
    )
    paystack_currency: str = setting(
        "PAYSTACK_CURRENCY",
        read.choice("USD", "KES"),
        "The currency Paystack charges in where the buyer chose none; the account must have it.",
        group="Payments",
        default="USD",
    )
    usd_to_kes_rate: Decimal = setting(
        "USD_TO_KES_RATE",
        read.positive_decimal,
        "Kenyan shillings for a US dollar; shown before paying and frozen on each order.",
        group="Payments",
        default=Decimal(129),
    )
    post_payment_redirect_path: str = setting(
        "POST_PAYMENT_REDIRECT_PATH",
        read.site_path,
        "Where a buyer lands after Paystack, with ?payment=success, pending or failed.",
        group="Payments",
        default="/credits",
    )
    billing_portal_return_url: str = setting(
        "BILLING_PORTAL_RETURN_URL",
        read.http_url,
        "Where Stripe's customer portal leads back to. Unset: /subscription of this site.",
        group="Payments",
        default="",
        example="https://tokens.example.com/subscription",
    )
