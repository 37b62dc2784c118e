"""A crowd of deliveries over HTTP: four senders at once, workers that sweep meanwhile, and a judge."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.billing.events import signed
from tests.billing.paystack_shop import paystack_order, verified
from tests.billing.shop import PACK, Shop
from tests.billing.stripe_stand_in import PAYSTACK_KEY
from tokenboard.accounts.models import Person
from tokenboard.billing import catalogue_queries, order_service, tasks
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import Payment, PaymentGrant
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.workspaces.models import Workspace

SENDERS, WORKERS = 4, 2
_HEADERS = {"stripe": "Stripe-Signature", "paystack": "x-paystack-signature"}


@dataclass(frozen=True)
class Delivery:
    """One knock: at which door, with what, and how it is signed. `answer` is what must be heard."""

    provider: str
    told: dict[str, Any]
    signature: str | None = None  # None: as the provider signs
    answer: int = 200

    def send(self, line: http.client.HTTPConnection) -> int:
        body = json.dumps(self.told).encode()
        mark = signed(body) if self.provider == "stripe" else _paystack_mark(body)
        headers = {_HEADERS[self.provider]: self.signature or mark, "Content-Type": "application/json"}
        line.request("POST", f"/api/webhooks/{self.provider}", body, headers)
        heard = line.getresponse()
        heard.read()
        return heard.status


def _paystack_mark(body: bytes) -> str:
    return hmac.new(PAYSTACK_KEY.encode(), body, hashlib.sha512).hexdigest()


def orders(shop: Shop, count: int) -> dict[str, str]:
    """So many orders, every other one through Paystack, and what Paystack will say of it: reference by number."""
    made: dict[str, str] = {}
    with shop.app.app_context():
        workspace = db.session.get_one(Workspace, shop.home)
        alice = db.session.get_one(Person, shop.people.alice.id)
        offer = catalogue_queries.offer(PACK)
        for number in range(count):
            if number % 2:
                basket = order_service.paystack_basket(offer=offer, amount_usd_cents=None, currency="USD")
            else:
                basket = order_service.stripe_basket(offer)
            order = order_service.order(workspace=workspace, person=alice, basket=basket, intent_key=f"crowd-{number}")
            order.object_id = None if number % 2 else f"cs_{number}"
            made[str(number)] = order.id
            if number % 2:
                shop.providers.paystack().verified[order.id] = verified(order.id, number)
        db.session.commit()
    return made


def cheap_paystack_order(shop: Shop, number: int) -> str:
    """An order for which Paystack will say that a cent was paid."""
    reference = paystack_order(shop, number)
    shop.providers.paystack().verified[reference] = verified(reference, number, amount=1)
    return reference


def send_and_work(shop: Shop, house_url: str, deliveries: Sequence[Delivery]) -> Counter[int]:
    """Four senders at once, two workers beside them; then the sweeper until nothing waits. What was heard, counted."""
    barrier = threading.Barrier(SENDERS + WORKERS)
    is_over = threading.Event()
    surprises: list[str] = []
    heard: Counter[int] = Counter()
    address = urlsplit(house_url)

    def send(part: int) -> None:
        line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        barrier.wait()
        for one in deliveries[part::SENDERS]:
            status = one.send(line)
            heard[status] += 1
            if status != one.answer:
                surprises.append(f"{one.told} heard {status}")
        line.close()

    def work(_part: int) -> None:
        barrier.wait()
        with shop.app.app_context():
            while not is_over.is_set():
                tasks.sweep()
                db.session.remove()
                is_over.wait(0.05)

    senders = _started(send, SENDERS)
    workers = _started(work, WORKERS)
    for thread in senders:
        thread.join()
    is_over.set()
    for thread in workers:
        thread.join()
    assert surprises == []
    return heard


def _started(work: Callable[[int], None], count: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(part,)) for part in range(count)]
    for thread in threads:
        thread.start()
    return threads


def sweep_out(shop: Shop) -> None:
    """The sweeper, until nothing waits any more; what is to be tried again is due at once."""
    waiting = db.select(db.func.count()).where(InboxEvent.state.in_(("new", "retry")))
    with shop.app.app_context():
        for _ in range(50):
            if not db.session.scalar(waiting):
                return
            db.session.execute(db.update(InboxEvent).where(InboxEvent.state == "retry").values(next_attempt_at=now()))
            db.session.commit()
            tasks.sweep()
    raise AssertionError("some events cannot be handled")


def complaints(shop: Shop, references: Sequence[str], credits_each: int) -> list[str]:
    """The judge: which of these purchases were not credited exactly once, and what was credited beside them."""
    with shop.app.app_context():
        rows = db.session.execute(db.select(PaymentGrant.payment_id, PaymentGrant.credits_micros)).all()
        orders_known = set(db.session.scalars(db.select(Payment.id)))
    times = Counter(payment_id for payment_id, _ in rows)
    found = [f"{reference} was credited {times[reference]} times" for reference in references if times[reference] != 1]
    found += [f"{other} was credited and never paid" for other in times if other not in references]
    found += [f"{reference} is no order" for reference in references if reference not in orders_known]
    if shop.credits != credits_each * len(references):
        found.append(f"the balance has {shop.credits} credits for {len(references)} purchases")
    return found
