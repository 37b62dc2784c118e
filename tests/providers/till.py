"""A sandbox of payments with clients that never sleep, and a shop that takes webhooks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import stripe

from tests.providers.stand_in import StandIn
from tokenboard.providers.payment_wire import Limits, PaymentWire
from tokenboard.providers.paystack_client import PaystackClient
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.providers.stripe_objects import CheckoutSession
from tokenboard.providers.stripe_requests import CatalogueLine, CheckoutRequest

STRIPE_KEY, STRIPE_SECRET, PAYSTACK_KEY = "sk_test_sandbox", "whsec_sandbox", "sk_test_sandbox"
BRISK = Limits(read_seconds=0.3, answer_seconds=2, answer_bytes_max=2_000_000)
SUCCESS_URL = "https://shop.example/credits/return?session_id={CHECKOUT_SESSION_ID}"


@dataclass
class Till:
    """The sandbox's payment side as tests drive it."""

    stand_in: StandIn
    wires: list[PaymentWire] = field(default_factory=list)

    def _wire(self, limits: Limits | None) -> PaymentWire:
        made = PaymentWire(limits)
        self.wires.append(made)
        return made

    @property
    def url(self) -> str:
        return self.stand_in.url

    def stripe(self, key: str = STRIPE_KEY, limits: Limits | None = None, retries: int = 0) -> StripeClient:
        return StripeClient(
            key,
            f"{self.url}/stripe",
            (STRIPE_SECRET,),
            wire=self._wire(limits),
            retries=retries,
            backoff_seconds=0,
        )

    def paystack(self, key: str = PAYSTACK_KEY, limits: Limits | None = None, retries: int = 0) -> PaystackClient:
        return PaystackClient(key, f"{self.url}/paystack", self._wire(limits), retries=retries, backoff_seconds=0)

    def order(self, path: str, /, **body: Any) -> dict[str, Any]:
        """A call of the control API that must succeed."""
        answer = requests.post(f"{self.url}/_control/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def press(self, url: str, **fields: str) -> requests.Response:
        """Send a form of a hosted page, as a browser without scripts does; redirects are not followed."""
        return requests.post(url, data=fields, timeout=10, allow_redirects=False)

    def checkout(self, **wanted: Any) -> CheckoutSession:
        """A session for a pack of 500 credits, unless told otherwise."""
        facts: dict[str, Any] = {
            "mode": "payment",
            "lines": (CatalogueLine("price_SbxPack500"),),
            "success_url": SUCCESS_URL,
            "cancel_url": "https://shop.example/credits",
            "client_reference_id": "order-1",
        }
        key = wanted.pop("idempotency_key", f"order-{self.stand_in.app.name}-{len(self.stand_in.calls())}")
        return self.stripe().create_checkout(CheckoutRequest(**(facts | wanted)), idempotency_key=key)

    def customer(self, email: str = "alice@example.com") -> str:
        key = f"customer-{email}"
        return self.stripe().create_customer(email=email, metadata={"workspace_id": "w1"}, idempotency_key=key).id

    def bought(self, card: str = "success", **wanted: Any) -> CheckoutSession:
        """A session that was paid."""
        session = self.checkout(**wanted)
        self.order("stripe/sessions", id=session.id, act="pay", method=card)
        return self.stripe().checkout_session(session.id)

    def subscribed(self, card: str = "success", price: str = "price_SbxProMonth", **wanted: Any) -> CheckoutSession:
        """A subscription that was begun, its customer saved."""
        wanted.setdefault("customer_id", self.customer())
        return self.bought(card, mode="subscription", lines=(CatalogueLine(price),), **wanted)

    def renew(self, subscription_id: str) -> None:
        self.order("stripe/clock", to="next_renewal", subscription=subscription_id)

    def event_types(self) -> list[str]:
        """Everything Stripe tells of, oldest first."""
        rows = self.stand_in.app.extensions["tokenboard-sandbox-payments"].objects.listed("stripe.event")
        return [row["type"] for row in reversed(rows)]


@dataclass
class Arrival:
    """One webhook as the shop got it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Shop:
    """A door for webhooks: takes whatever comes, answers what it is told to."""

    url: str
    arrivals: queue.Queue[Arrival]
    statuses: list[int] = field(default_factory=list)

    def next(self) -> Arrival:
        """The next webhook; fails when none comes."""
        return self.arrivals.get(timeout=10)

    def all(self) -> list[Arrival]:
        """Everything that has come so far."""
        found = []
        while not self.arrivals.empty():
            found.append(self.arrivals.get())
        return found


@pytest.fixture
def till(stand_in: StandIn) -> Iterator[Till]:
    made = Till(stand_in)
    yield made
    for wire in made.wires:
        wire.close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    arrivals: queue.Queue[Arrival] = queue.Queue()
    statuses: list[int] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrivals.put(Arrival(self.path, dict(self.headers), body))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield Shop(f"http://127.0.0.1:{server.server_port}", arrivals, statuses)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def official(till: Till) -> stripe.StripeClient:
    """Stripe's own client as Stripe ships it, pointed at the sandbox."""
    stripe.enable_telemetry = False
    return stripe.StripeClient(STRIPE_KEY, base_addresses={"api": f"{till.url}/stripe"})
