"""A workspace's plan in words: for /subscription, and in short for the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tokenboard.billing import catalogue_queries, history_page, history_queries, payment_queries
from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.history_page import PaymentLine
from tokenboard.billing.models import Payment, Subscription
from tokenboard.billing.price_words import EACH_WORDS, INTERVAL_WORDS, credits_words, price
from tokenboard.billing.rules import ENDED_SUBSCRIPTIONS
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.web.filters import day

PATH = "/subscription"
MOST_INVOICES = 24
_UNKNOWN = "Plan"
# Stripe's words, ours, their tone, and what they mean for the buyer.
_STATES = {
    "active": ("Active", "ok", ""),
    "trialing": (
        "Trial",
        "accent",
        "Nothing is charged until the trial ends; its first paid period brings the credits.",
    ),
    "past_due": (
        "Payment failed",
        "bad",
        "The renewal could not be charged. Stripe tries again by itself; credits you have stay.",
    ),
    "unpaid": ("Not paid", "bad", "The renewal was not paid. Pay its invoice, and the plan goes on."),
    "incomplete": ("Waiting for payment", "warn", "The first payment is open. Your bank may want you to confirm it."),
    "incomplete_expired": ("Never begun", "", "The first payment was not made in time. Nothing was charged."),
    "paused": ("Paused", "warn", "Nothing is charged and nothing comes until the plan is resumed."),
    "canceled": ("Ended", "", "Credits you have stay."),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One subscription. `when` says what `at` is the day of."""

    name: str
    status: str
    tone: str
    meaning: str
    price: str
    brings: str
    when: str
    at: datetime | None
    period: str
    trial_ends_at: datetime | None
    pay_href: str
    is_live: bool
    number: str

    @property
    def short(self) -> str:
        """Name and what comes next, for a line elsewhere."""
        return f"{self.name}: {self.status.lower()}{f', {self.when.lower()} {day(self.at.date())}' if self.at else ''}"


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Everything /subscription prints; `plans` holds more than one only by a fault, which is said."""

    plans: tuple[Plan, ...]
    former: Plan | None
    invoices: tuple[PaymentLine, ...]
    has_customer: bool


def plan_page(workspace_id: str) -> PlanPage:
    """The plan or plans that run, else the one that ran last, with the paid invoices."""
    known = payment_queries.subscriptions(workspace_id)
    live = [one for one in known if one.status not in ENDED_SUBSCRIPTIONS]
    former = next((one for one in known if one.status in ENDED_SUBSCRIPTIONS), None)
    customer = payment_queries.live_customer(workspace_id, "stripe")
    return PlanPage(
        plans=tuple(plan(one) for one in live),
        former=plan(former) if former is not None and not live else None,
        invoices=tuple(history_page.payment_line(one) for one in _invoices(workspace_id, known)),
        has_customer=customer is not None and customer.provider_id is not None,
    )


def _invoices(workspace_id: str, known: Sequence[Subscription]) -> Sequence[Payment]:
    return history_queries.invoices(workspace_id, limit=MOST_INVOICES) if known else ()


def running(workspace_id: str) -> Plan | None:
    """The plan that runs, for other pages."""
    found = payment_queries.live_subscription(workspace_id)
    return plan(found) if found else None


def plan(found: Subscription) -> Plan:
    """A subscription in words."""
    offer = catalogue_queries.known_price(found.price_provider_id)
    status, tone, meaning = _STATES.get(found.status, (found.status, "", ""))
    if found.is_collection_paused and found.status == "active":
        status, tone, meaning = _STATES["paused"]
    when, at = _next(found)
    return Plan(
        name=offer.product.name if offer else _UNKNOWN,
        status=status,
        tone=tone,
        meaning=meaning,
        price=_price(offer, found.quantity),
        brings=_brings(offer, found.quantity),
        when=when,
        at=at,
        period=INTERVAL_WORDS.get(offer.price.interval or "", "") if offer else "",
        trial_ends_at=found.trial_ends_at if found.status == "trialing" else None,
        pay_href=found.invoice_url,
        is_live=found.status not in ENDED_SUBSCRIPTIONS,
        number=found.provider_id,
    )


def _next(found: Subscription) -> tuple[str, datetime | None]:
    """What comes next, and when: the end, the trial's end, or the renewal."""
    if found.status in ENDED_SUBSCRIPTIONS:
        return "Ended on", found.ended_at
    if found.cancel_at_period_end:
        return "Ends on", found.period_end
    if found.status == "trialing":
        return "First charged on", found.trial_ends_at or found.period_end
    if found.status == "active" and not found.is_collection_paused:
        return "Renews on", found.period_end
    return ("Paid until", found.period_start) if found.status in ("past_due", "unpaid") else ("", None)


def _price(offer: Offer | None, quantity: int) -> str:
    if offer is None or offer.price.unit_amount_minor is None:
        return ""
    return price(offer.amount_minor * quantity, offer.price.currency)


def _brings(offer: Offer | None, quantity: int) -> str:
    if offer is None or not offer.product.credits or not offer.price.interval:
        return ""
    return f"{credits_words(offer.credits * quantity * MICROS_PER_CREDIT)} {EACH_WORDS[offer.price.interval]}"
