"""The 44 example events of the pinned API version, and everything they depend on, as often as a test wants.

They lie beside the project (TOKENBOARD_SHARED). All their ids hold the letters TB: another tag in their place makes
another customer's history, so that one database bears hundreds of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tests.billing.shop import Shop, price
from tests.contract.shared import SHARED
from tokenboard.accounts.models import Person
from tokenboard.billing import catalogue_queries, catalogue_service, order_service
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import Customer, Payment, Subscription
from tokenboard.core.db import db
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.ledger import queries as ledger
from tokenboard.providers import stripe_billing_answers as read
from tokenboard.providers.stripe_objects import Price
from tokenboard.workspaces import service as workspaces
from tokenboard.workspaces.models import Workspace

FOLDER = SHARED / "examples" / "stripe"
ALL = tuple(range(1, 45))
LONG_BEFORE = datetime.fromtimestamp(1_790_000_000, UTC)
SESSIONS = {
    "cs_test_TBpack": "price_TBpack100usd",
    "cs_test_TBsepa": "price_TBeuro",
    "cs_test_TBgone": "price_TBpack100usd",
    "cs_test_TBjpy": "price_TByen",
    "cs_test_TBfree": "price_TBpack100usd",
    "cs_test_TBsub": "price_TBpromonth",
    "cs_test_TBtrial": "price_TBpromonth",
}


@lru_cache
def _text(number: int) -> str:
    return next(FOLDER.glob(f"{number:02d}-*.json")).read_text()


def told(number: int, tag: str = "TB") -> dict[str, Any]:
    """An example, told of the customer with this tag."""
    return json.loads(_text(number).replace("TB", tag))


def catalogue(tag: str) -> list[Price]:
    return [
        price(f"price_{tag}pack100usd", f"prod_{tag}pack100", 999, "100"),
        price(f"price_{tag}euro", f"prod_{tag}pack100eur", 999, "100", currency="eur"),
        price(f"price_{tag}yen", f"prod_{tag}pack100jpy", 1_500, "100", currency="jpy"),
        price(f"price_{tag}promonth", f"prod_{tag}promonth", 1_999, "2000", "month"),
        price(f"price_{tag}proyear", f"prod_{tag}proyear", 19_900, "24000", "year"),
    ]


class History:
    """One customer of the examples: orders behind the sessions, catalogue, a wallet of its own."""

    def __init__(self, shop: Shop, tag: str) -> None:
        self.shop, self.tag = shop, tag
        with shop.app.app_context():
            self._alice = db.session.get_one(Person, shop.people.alice.id)
            workspace = workspaces.create(owner=self._alice, name=f"Customer {tag}")
            self.workspace_id, self._wallet_id = workspace.id, workspace.ledger_account_id
            self._lay_ready(workspace)
            db.session.commit()
            self._start_micros = ledger.balance(self._wallet_id).posted_micros
        ended = read.subscription(told(23, tag)["data"]["object"])
        shop.providers.stripe().things["subscription", f"sub_{tag}0000monthly"] = ended

    def _lay_ready(self, workspace: Workspace) -> None:
        for one in catalogue(self.tag):
            assert one.product is not None
            catalogue_service.learn_product(product=one.product, at=LONG_BEFORE)
            catalogue_service.learn_price(price=one, at=LONG_BEFORE)
        customer_id = f"cus_{self.tag}00000042"
        db.session.add(Customer(workspace_id=workspace.id, provider="stripe", provider_id=customer_id))
        for session_id, price_id in SESSIONS.items():
            basket = order_service.stripe_basket(catalogue_queries.offer(price_id.replace("TB", self.tag)))
            made = order_service.order(
                workspace=workspace, person=self._alice, basket=basket, intent_key=f"order-{session_id}"
            )
            made.object_id = session_id.replace("TB", self.tag)

    def tell(self, numbers: Sequence[int]) -> None:
        """These examples arrive one after the other, and are handled at once; what must wait is handled in the end."""
        self.shop.tell(*(told(number, self.tag) for number in numbers))
        self.shop.due()

    @property
    def credits(self) -> int | float:
        with self.shop.app.app_context():
            found = ledger.balance(self._wallet_id).posted_micros - self._start_micros
        return found // MICROS_PER_CREDIT if found % MICROS_PER_CREDIT == 0 else found / MICROS_PER_CREDIT

    def state(self, session: str) -> str:
        """How the order behind a session stands."""
        with self.shop.app.app_context():
            wanted = db.select(Payment.state).where(Payment.object_id == f"cs_test_{self.tag}{session}")
            return db.session.scalars(wanted).one()

    @property
    def plan(self) -> str:
        """How the monthly plan stands."""
        with self.shop.app.app_context():
            wanted = db.select(Subscription.status).where(Subscription.provider_id == f"sub_{self.tag}0000monthly")
            return db.session.scalars(wanted).one()

    @property
    def unhandled(self) -> list[str]:
        """Events of this customer that are neither done nor refused."""
        with self.shop.app.app_context():
            wanted = db.select(InboxEvent.event_id).where(InboxEvent.state.not_in(("done", "ignored")))
            return list(db.session.scalars(wanted.where(InboxEvent.event_id.startswith(f"evt_{self.tag}"))))
