"""A small shop: Alice buys, the provider tells, and the balance is looked at after each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from tests.billing import events
from tests.billing.stripe_stand_in import StandIns
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.billing import catalogue_queries, catalogue_service, order_service, tasks
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import Customer, Payment, PaymentGrant
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.ledger import invariants, queries as ledger
from tokenboard.providers.stripe_objects import Price, Product
from tokenboard.workspaces.models import Workspace

PACK, PACK_PRODUCT = "price_pack", "prod_pack"


def price(price_id: str, product_id: str, amount: int, gives: str, interval: str | None = None, **more: Any) -> Price:
    """A price with its product, as Stripe lists it."""
    facts: dict[str, Any] = {
        "currency": "usd",
        "is_active": True,
        "interval_count": 1 if interval else 0,
        "usage_type": "licensed" if interval else None,
        "billing_scheme": "per_unit",
        "trial_days": None,
        "lookup_key": None,
        "nickname": None,
        "metadata": {},
        "created_at": None,
    } | more
    product = Product(product_id, f"{gives} credits", None, True, {"includedCredits": gives})
    return Price(id=price_id, product_id=product_id, product=product, unit_amount=amount, interval=interval, **facts)


CATALOGUE = (
    price(PACK, PACK_PRODUCT, 999, "100"),
    price("price_yen", "prod_yen", 1_500, "100", currency="jpy"),
    price("price_euro", "prod_euro", 999, "100", currency="eur"),
    price("price_month", "prod_month", 1_999, "2000", "month"),
    price("price_year", "prod_year", 19_900, "24000", "year"),
)


@dataclass
class Shop:
    """One application with a catalogue, Alice as its buyer, and both providers stood in for."""

    app: Flask
    people: People
    providers: StandIns
    start_micros: int = 0
    event_count: int = field(default=0)

    def __post_init__(self) -> None:
        with self.app.app_context():
            catalogue_service.sync(prices=CATALOGUE, at=now())
            db.session.add(Customer(workspace_id=self.home, provider="stripe", provider_id="cus_alice"))
            db.session.commit()
            self.start_micros = ledger.balance(self._wallet).posted_micros

    @property
    def home(self) -> str:
        return self.people.alice.workspace_id

    @property
    def _wallet(self) -> str:
        return db.session.get_one(Workspace, self.home).ledger_account_id

    def order(self, price_id: str = PACK, session_id: str | None = "cs_pack", *, quantity: int = 1) -> str:
        """Alice has ordered, and the checkout is open; the order's id."""
        with self.app.app_context():
            basket = order_service.stripe_basket(catalogue_queries.offer(price_id), quantity=quantity)
            made = order_service.order(
                workspace=db.session.get_one(Workspace, self.home),
                person=db.session.get_one(Person, self.people.alice.id),
                basket=basket,
                intent_key=f"{session_id}-{price_id}",
            )
            made.object_id = session_id
            db.session.commit()
            return made.id

    def tell(self, *told: events.Body) -> list[str]:
        """Events arrive and are handled one after the other; how each ended."""
        return [self._tell(one) for one in told]

    def _tell(self, told: events.Body) -> str:
        answer = events.deliver(self.app, told)
        assert (answer.status_code, answer.json) == (200, {"received": True})
        with self.app.app_context():
            row = db.session.scalars(db.select(InboxEvent).where(InboxEvent.event_id == told["id"])).one()
            tasks.process_event(row.id)
            return str(db.session.get_one(InboxEvent, row.id, populate_existing=True).state)

    def due(self) -> None:
        """The waits are over and the sweeper comes by."""
        with self.app.app_context():
            db.session.execute(db.update(InboxEvent).values(next_attempt_at=now()))
            db.session.commit()
            tasks.sweep()

    @property
    def credits(self) -> int | float:
        """What Alice's balance has changed by, in credits; the books are checked with every look."""
        with self.app.app_context():
            found = ledger.balance(self._wallet).posted_micros - self.start_micros
            assert invariants.check() == []
        return found / MICROS_PER_CREDIT if found % MICROS_PER_CREDIT else found // MICROS_PER_CREDIT

    def payment(self, payment_id: str) -> Payment:
        with self.app.app_context():
            return db.session.get_one(Payment, payment_id)

    def grant_keys(self) -> list[str]:
        with self.app.app_context():
            return sorted(db.session.scalars(db.select(PaymentGrant.key)))
