"""The receipt of one payment in finished texts: what was bought, charged, taxed and sent back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from tokenboard.billing import waiting_page
from tokenboard.billing.models import Payment, PaymentGrant
from tokenboard.billing.payment_words import provider_name
from tokenboard.billing.price_words import credits_words, price, rate
from tokenboard.billing.rules import PaymentKind
from tokenboard.core.settings import settings
from tokenboard.web.filters import day_range

_KINDS = {
    PaymentKind.PACK: "Credits, bought once",
    PaymentKind.CUSTOM: "Credits for an amount of one's own",
    PaymentKind.PLAN: "A plan's checkout",
    PaymentKind.INVOICE: "One period of a plan",
    PaymentKind.TOP_UP: "Credits, bought by the automatic top-up",
}


@dataclass(frozen=True, slots=True)
class PaymentReceipt:
    """Everything the receipt prints."""

    id: str
    href: str
    seller: str
    paid_at: datetime
    what: str
    kind: str
    quantity: int
    period: str
    price: str
    discount: str
    tax: str
    fees: str
    charged: str
    sent_back: str
    kept: str
    credits: str
    rate: str
    through: str
    provider_number: str
    provider_receipt_href: str


def build(payment: Payment, grants: Sequence[PaymentGrant]) -> PaymentReceipt:
    """A payment whose money came."""
    assert payment.paid_at is not None, "asked for by the door"
    charged = payment.amount_minor if payment.charged_minor is None else payment.charged_minor
    gone = payment.refunded_minor + payment.disputed_minor
    discount = payment.amount_minor + payment.tax_minor - charged

    def money(minor: int) -> str:
        return price(minor, payment.currency)

    return PaymentReceipt(
        id=payment.id,
        href=f"{waiting_page.PATH}/{payment.id}",
        seller=urlsplit(settings().base_url).netloc,
        paid_at=payment.paid_at,
        what=payment.title,
        kind=_KINDS[PaymentKind(payment.kind)],
        quantity=payment.quantity,
        period=_period(grants),
        price=money(payment.amount_minor),
        discount=money(discount) if discount > 0 else "",
        tax=money(payment.tax_minor) if payment.tax_minor else "",
        fees=money(-discount) if discount < 0 else "",  # Paystack may let the buyer bear them
        charged=money(charged),
        sent_back=money(gone) if gone else "",
        kept=money(max(0, charged - gone)) if gone else "",
        credits=credits_words(payment.credits_micros) if payment.credits_micros else "",
        rate=rate(payment.exchange_rate, payment.currency) if payment.exchange_rate else "",
        through=provider_name(payment),
        provider_number=payment.payment_intent_id or payment.object_id or "",
        provider_receipt_href=payment.receipt_url,
    )


def _period(grants: Sequence[PaymentGrant]) -> str:
    """The days a plan's invoice paid for."""
    dated = [(one.period_start, one.period_end) for one in grants if one.period_start and one.period_end]
    if not dated:
        return ""
    return day_range(dated[0][0].date(), dated[0][1].date())
