"""The overview of the control room in finished texts: what waits for a person, what came in today, open alerts."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.audit.alerts import open_alerts
from tokenboard.audit.models import Alert
from tokenboard.billing import attention_queries, reconcile_queries
from tokenboard.billing.payment_search import CurrencyTotal
from tokenboard.billing.rules import price_text
from tokenboard.core.clock import midnight, today
from tokenboard.ops import books_queries, jobs_queue, monitoring_queries, waiting_queries
from tokenboard.ops.books_queries import Verdict
from tokenboard.wallet import queries as wallet
from tokenboard.web.filters import number, plural

MOST_ALERTS = 20


@dataclass(frozen=True, slots=True)
class Matter:
    """One kind of thing that may wait, and where it is dealt with."""

    label: str
    count: str
    note: str
    href: str
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class Sale:
    """What came in today in one currency."""

    label: str
    amount: str
    note: str
    href: str


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Everything on the page."""

    matters: tuple[Matter, ...]
    sales: tuple[Sale, ...]
    books: Verdict
    alerts: list[Alert]
    more_alerts: int

    @property
    def waiting(self) -> int:
        """How many kinds of things wait."""
        return sum(one.is_waiting for one in self.matters)


def build() -> OverviewPage:
    """Nine reads, and one of Redis."""
    alerts = open_alerts()
    return OverviewPage(
        matters=_matters(),
        sales=tuple(_sale(one) for one in attention_queries.sales_since(midnight(today()))),
        books=books_queries.verdict(books_queries.lamps()),
        alerts=alerts[:MOST_ALERTS],
        more_alerts=max(0, len(alerts) - MOST_ALERTS),
    )


def _matters() -> tuple[Matter, ...]:
    found = attention_queries.attention()
    retrying = f"{plural(found.waiting_events, 'event')} will be tried again" if found.waiting_events else ""
    proposals = len(wallet.adjustments(is_open=True))
    told = (
        ("Dead events", found.dead_events, retrying or "given up; replay them", "/admin/webhooks?state=dead"),
        ("Stuck payments", found.stuck_payments, "paid and not credited, or lost", "/admin/payments?trouble=stuck"),
        ("Open disputes", found.open_disputes, "the bank waits for an answer", "/admin/payments?trouble=dispute"),
        ("Refunds in trouble", found.refund_troubles, "failed, or no answer", "/admin/payments?trouble=refund"),
        ("Differences", reconcile_queries.open_differences(), "the providers know more", "/admin/reconcile"),
        ("Adjustments", proposals, "wait for a second administrator", "/admin/adjust"),
        *_machinery(),
    )
    return tuple(Matter(label, number(count), note, href, count > 0) for label, count, note, href in told)


def _machinery() -> tuple[tuple[str, int, str, str], ...]:
    """Jobs, rows and syncs that do not go on by themselves. Webhooks and refunds are counted above."""
    depths, syncs = jobs_queue.depths(), monitoring_queries.syncs()
    late = sum(one.late for one in waiting_queries.waiting() if one.name not in {"webhooks", "refunds"})
    queue = "Redis does not answer" if depths is None else f"{plural(depths['waiting'], 'job')} waiting"
    failed = 1 if depths is None else depths["failed"]
    refused = f"{plural(syncs.rejected, 'key')} refused by a provider"
    return (
        ("Failed jobs", failed, queue, "/admin/jobs"),
        ("Rows in trouble", late, "given up, refused or lost", "/admin/jobs"),
        ("Failed syncs", syncs.failed_today, refused, "/admin/monitoring"),
    )


def _sale(one: CurrencyTotal) -> Sale:
    back = f", {price_text(one.back_minor, one.currency)} of it back" if one.back_minor else ""
    note = f"{plural(one.count, 'payment')}{back}"
    label = f"Paid today, {one.currency.upper()}"
    return Sale(label, price_text(one.paid_minor, one.currency), note, "/admin/payments")
