"""The dashboard's line about credits: there once a wallet is in use, with what is left, what goes next and the plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.people import People
from tests.portal.dashboards import text
from tokenboard.billing import catalogue_service
from tokenboard.billing.models import Subscription
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.providers.stripe_objects import Price, Product
from tokenboard.workspaces.models import Workspace

LINE = "credits · $"


def dashboard(people: People) -> str:
    return text(people.browser(people.alice).get("/dashboard").text)


def grant(people: People, amount: int, days: int | None = None, category: Category = Category.PAID) -> None:
    with people.app.app_context():
        ledger.grant(
            wallet_id=db.session.get_one(Workspace, people.alice.workspace_id).ledger_account_id,
            amount_micros=amount * 1_000_000,
            category=category,
            house=House.SALES_STRIPE,
            key=f"{amount}-{days}",
            expires_at=now() + timedelta(days=days) if days else None,
        )
        db.session.commit()


def begin(people: People, **facts: Any) -> None:
    product = Product("prod_month", "Pro monthly", None, True, {"includedCredits": "2000"})
    price = Price(
        "price_month",
        product.id,
        product,
        "usd",
        1_999,
        True,
        "month",
        1,
        "licensed",
        "per_unit",
        None,
        None,
        None,
        {},
        None,
    )
    with people.app.app_context():
        at = datetime(2026, 1, 1, tzinfo=UTC)
        catalogue_service.learn_product(product=product, at=at)
        catalogue_service.learn_price(price=price, at=at)
        usual = {"status": "active", "period_end": datetime(2026, 12, 28, tzinfo=UTC), "told_at": now()}
        plan = usual | {"provider_id": "sub_1", "price_provider_id": "price_month"} | facts
        db.session.add(Subscription(workspace_id=people.alice.workspace_id, **plan))
        db.session.commit()


def test_sign_up_credits_alone_show_no_line(people: People):
    assert LINE not in dashboard(people)


def test_bought_credits_show_what_is_left_and_what_expires_next(people: People):
    grant(people, 500, days=20)

    page = dashboard(people)

    assert "1,500 credits · $15.00 Nothing used in the last 14 days · 500 credits expire on" in page
    assert "Add credits" in page


def test_a_wallet_that_is_used_shows_how_long_it_lasts(people: People):
    body = {"amount": 10, "reason": "work", "idempotencyKey": "1"}
    people.bearer(people.alice).post("/api/credits/spend", json=body)

    assert "990 credits · $9.90 About 99 days at your pace" in dashboard(people)


def test_the_plan_stands_beside_it_and_an_open_payment_leads_to_it(people: People):
    begin(people)
    assert "Pro monthly Active renews on 28 Dec" in dashboard(people)

    with people.app.app_context():
        db.session.execute(
            db.update(Subscription).values(status="past_due", invoice_url="https://invoice.stripe.com/i")
        )
        db.session.commit()

    page = dashboard(people)
    assert "Pro monthly Payment failed" in page
    assert "Pay or confirm the plan" in page


def test_a_demo_shows_no_way_to_buy(people: People):
    alice = people.browser(people.alice)
    alice.post("/demo")

    assert "Add credits" not in text(alice.get("/dashboard").text)
