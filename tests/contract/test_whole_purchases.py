"""Everything that the house says to both providers, and hears, in whole purchases: judged by the providers' own specs.

The sandbox answers; what is asked is what our doors, tasks and reconciler ask. Beside the judges stand two lists: the
calls that these purchases must have made, and the methods of our clients: the other contract tests use every one.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.billing.conftest import serving_house
from tests.billing.market import PACK, PLAN, Market
from tests.contract import stripe_use, test_paystack_spec
from tests.contract.paystack_judge import judge_of
from tests.contract.recorded import Exchange, Recorder
from tests.contract.shared import needs_shared, text_of
from tests.contract.stripe_judge import faults_of, operation_of
from tests.people import People
from tokenboard.billing import reconciling, tasks
from tokenboard.billing.asking import _CALLS, Answers
from tokenboard.billing.errors import Question
from tokenboard.billing.models import Payment, Refund
from tokenboard.core.db import db
from tokenboard.providers.payment_wire import PaymentWire
from tokenboard.providers.paystack_client import PaystackClient
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.providers.stripe_money import StripeMoney

KEY, SECRET = "sk_test_sandbox", "whsec_sandbox"
STRIPE_CALLS = {
    "GET /v1/checkout/sessions",
    "GET /v1/checkout/sessions/{session}",
    "GET /v1/customers/{customer}",
    "GET /v1/events",
    "GET /v1/invoice_payments",
    "GET /v1/invoices",
    "GET /v1/invoices/{invoice}",
    "GET /v1/invoices/{invoice}/lines",
    "GET /v1/payment_intents",
    "GET /v1/payment_intents/{intent}",
    "GET /v1/prices",
    "GET /v1/prices/{price}",
    "GET /v1/refunds",
    "GET /v1/subscriptions",
    "GET /v1/subscriptions/{subscription_exposed_id}",
    "POST /v1/billing_portal/sessions",
    "POST /v1/checkout/sessions",
    "POST /v1/checkout/sessions/{session}/expire",
    "POST /v1/customers",
    "POST /v1/refunds",
}
PAYSTACK_CALLS = {
    "GET /dispute",
    "GET /refund",
    "GET /transaction",
    "GET /transaction/verify/…",
    "POST /charge",
    "POST /refund",
    "POST /transaction/initialize",
}


class RecordedClients:
    """The house's clients on a wire that keeps every exchange."""

    def __init__(self, app: Flask, sandbox_url: str, recorder: Recorder) -> None:
        self._wired = app.extensions["clients"]
        wire = PaymentWire(session=recorder)
        self._stripe = StripeClient(KEY, f"{sandbox_url}/stripe", (SECRET,), wire=wire, backoff_seconds=0)
        self._paystack = PaystackClient(KEY, f"{sandbox_url}/paystack", wire, backoff_seconds=0)

    def stripe(self) -> StripeClient:
        return self._stripe

    def paystack(self) -> PaystackClient:
        return self._paystack

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wired, name)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as session:
        yield session


@pytest.fixture
def market(
    sqlite_app: Flask,
    sqlite_people: People,
    sandbox_url: str,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Market]:
    monkeypatch.setitem(sqlite_app.extensions, "clients", RecordedClients(sqlite_app, sandbox_url, recorder))
    with serving_house(sqlite_app) as house_url:
        yield Market(sqlite_app, sqlite_people, sandbox_url, house_url).open()


def give_back(market: Market, reference: str, cents: int) -> None:
    ada = market.people.bearer(market.people.ada)
    answer = ada.post(f"/api/admin/payments/{reference}/refund", json={"amountCents": cents})
    assert answer.status_code in (202, 502), answer.json


def ask_again(market: Market) -> None:
    """What the sweeper does when its time has come."""
    with market.app.app_context():
        db.session.execute(
            db.update(Payment).where(Payment.credited_at.is_(None)).values(next_check_at=Payment.created_at)
        )
        due = db.update(Refund).where(Refund.next_ask_at.is_not(None)).values(next_ask_at=Refund.created_at)
        db.session.execute(due)
        db.session.commit()
    market.sweep()


def buy_through_stripe(market: Market) -> str:
    """A pack, half of it refunded (the answer lost once), disputed and won; the reference."""
    reference = str(market.post("/api/billing/checkout", packageId=PACK)["reference"])
    ask_again(market)
    market.control("stripe/sessions", id=str(market.payment(reference).object_id))
    market.deliver()
    market.control("faults", path="/stripe/v1/refunds", fault="503", times=3)
    give_back(market, reference, 50)
    ask_again(market)
    market.deliver()
    made = market.control("stripe/disputes", payment_intent=market.payment(reference).payment_intent_id)
    market.deliver()
    market.control("stripe/disputes", id=made["object"]["id"], status="won")
    market.deliver()
    assert market.credits == 50
    return reference


def subscribe(market: Market) -> None:
    """Another plan first, then this one; a renewal, a refund of it, the portal, every question an event can raise."""
    market.post("/api/billing/checkout", packageId="price_SbxProYear")
    begun = market.post("/api/billing/checkout", packageId=PLAN)
    market.control("stripe/sessions", id=str(market.payment(begun["reference"]).object_id))
    market.deliver()
    plan = market.alice.get("/api/subscription").json["subscription"]
    market.control("stripe/clock", to="next_renewal", subscription=plan["id"])
    market.deliver()
    market.alice.get("/api/billing/portal-link")
    with market.app.app_context():
        bill = db.session.scalars(db.select(Payment).where(Payment.kind == "invoice")).first()
        clients = market.app.extensions["clients"]
        names = {"subscription": plan["id"], "invoice_lines": bill.object_id, "price": PLAN}
        names |= {
            "invoice_of_payment": _intent_of(clients, bill),
            "session": market.payment(begun["reference"]).object_id,
        }
        asked = {kind for kind in _CALLS if kind.startswith("stripe.")}
        assert asked == {f"stripe.{kind}" for kind in names}
        for kind, object_id in names.items():
            Answers().learn(Question(f"stripe.{kind}", object_id), clients)
    give_back(market, bill.id, 500)
    market.deliver()


def _intent_of(clients: Any, bill: Payment) -> str:
    return str(clients.stripe().invoice_payments(invoice_id=bill.object_id)[0].payment_intent_id)


def top_up(market: Market) -> None:
    """By itself, with the saved card; once more with its answer lost for more than a day."""
    rule = {"enabled": True, "thresholdCredits": 1_000_000, "packageId": PACK, "monthlyCapCents": 100}
    market.alice.put("/api/credits/auto-topup", json=rule)
    with market.app.app_context():
        tasks.top_up(market.people.alice.workspace_id)
        bought = db.session.scalars(db.select(Payment).where(Payment.kind == "top_up")).one()
        clients = market.app.extensions["clients"]
        clients.stripe().payment_intent(bought.object_id)
    market.alice.put("/api/credits/auto-topup", json=rule | {"monthlyCapCents": 200})
    market.control("faults", path="/stripe/v1/payment_intents", fault="503", times=3)
    with market.app.app_context():
        tasks.top_up(market.people.alice.workspace_id)
        long_ago = "UPDATE payment SET created_at = '2026-01-01 00:00:00' WHERE kind = 'top_up' AND credited_at IS NULL"
        db.session.execute(db.text(long_ago))
        db.session.commit()
    ask_again(market)


def buy_through_paystack(market: Market) -> None:
    """A pack refunded (the answer lost) and disputed, M-Pesa accepted, a pack whose webhook is lost."""
    reference = str(market.post("/api/checkout/start", packageId=PACK, currency="USD")["reference"])
    ask_again(market)
    market.control("paystack/pay", reference=reference, outcome="success")
    market.deliver()
    market.control("faults", path="/paystack/refund", fault="503")
    give_back(market, reference, 50)
    ask_again(market)
    market.deliver()
    opened = market.control("paystack/disputes", reference=reference)
    market.control("paystack/disputes", id=opened["object"]["id"], act="declined")
    market.deliver()
    asked = market.post("/api/checkout/mpesa", packageId=PACK, phone="0712 345 678")
    market.control("paystack/phone", reference=asked["reference"], answer="accept")
    market.deliver()


@needs_shared
def test_whole_purchases_keep_the_providers_specs_in_every_call_and_answer(market: Market, recorder: Recorder):
    buy_through_stripe(market)
    subscribe(market)
    top_up(market)
    buy_through_paystack(market)
    with market.app.app_context():
        reconciling.reconcile(is_healing=True)

    of_stripe = [one for one in recorder.exchanges if "/stripe/" in str(one.request.path_url)]
    of_paystack = [one for one in recorder.exchanges if "/paystack/" in str(one.request.path_url)]
    assert _stripe_faults(of_stripe) == []
    judge = judge_of(f"{market.sandbox_url}/paystack")
    for exchange in of_paystack:
        if exchange.status != 503:  # the broken answers were ours to order
            judge(exchange)
    assert {_paystack_name(one) for one in of_paystack} == PAYSTACK_CALLS
    assert len(of_stripe) + len(of_paystack) == len(recorder.exchanges)


def _stripe_faults(exchanges: list[Exchange]) -> list[str]:
    spec = dict(json.loads(text_of("specs/stripe.openapi.json")))
    found = [operation_of(spec, one) for one in exchanges]
    seen = {one[0] for one in found if one}
    missing = [f"{name} was not asked" for name in STRIPE_CALLS - seen]
    missing += [f"{name} is not on the list" for name in seen - STRIPE_CALLS]
    return missing + [fault for one in exchanges for fault in faults_of(spec, one)]


def _paystack_name(exchange: Exchange) -> str:
    path = str(exchange.request.path_url).partition("?")[0].removeprefix("/paystack")
    path = "/transaction/verify/…" if path.startswith("/transaction/verify/") else path
    return f"{exchange.request.method} {path}"


@pytest.mark.parametrize(
    ("classes", "use"),
    [((StripeClient, StripeMoney), stripe_use), ((PaystackClient,), test_paystack_spec)],
    ids=["stripe", "paystack"],
)
def test_the_contract_tests_use_every_method_that_calls_a_provider(classes: tuple[type, ...], use: Any):
    used = set(_methods_called(inspect.getsource(use)))

    assert [name for one in classes for name in _calling(one) if name not in used] == []


def _calling(client: type) -> list[str]:
    """The public methods that speak to the provider themselves."""
    whole = ast.parse(inspect.getsource(client)).body[0]
    assert isinstance(whole, ast.ClassDef)
    words = {"_call", "_many", "_get", "_post", "_pages"}
    return [
        one.name
        for one in whole.body
        if isinstance(one, ast.FunctionDef) and not one.name.startswith("_") and words & _attributes(one)
    ]


def _attributes(node: ast.AST) -> set[str]:
    return {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def _methods_called(source: str) -> list[str]:
    calls = [one.func for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Call)]
    return [one.attr for one in calls if isinstance(one, ast.Attribute)]
