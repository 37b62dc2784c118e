"""What our client says to Stripe and what the sandbox answers keep Stripe's own specification, in the pinned version.

The judge is the spec derived from Stripe's own library: requests are closed (an unknown or misspelt parameter fails),
forms are read with the schema's types.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import stripe

from tests.contract.recorded import Recorder
from tests.contract.shapes import missing_keys, shape_of
from tests.contract.shared import SHARED, needs_shared, text_of
from tests.contract.stripe_judge import Spec, errors_of, faults_of, operation_of
from tests.contract.stripe_use import use_everything
from tests.providers.stand_in import NOW
from tests.providers.till import STRIPE_KEY, STRIPE_SECRET, SUCCESS_URL, Till
from tokenboard.providers.payment_wire import PaymentWire
from tokenboard.providers.payments import PaymentError
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.providers.stripe_requests import CatalogueLine, CheckoutRequest

pytestmark = pytest.mark.xdist_group("stripe spec")
EXAMPLES = sorted((SHARED / "examples/stripe").glob("*.json")) if SHARED.is_dir() else []
FREE = frozenset(("metadata", "previous_attributes", "invoice_settings", "payment_method_details", "credited_items"))
# What only some events of a type have: a pending refund's reason, a change's past.
SOMETIMES = (".data.object.pending_reason", ".data.previous_attributes")


@pytest.fixture(scope="module")
def spec() -> Spec:
    if not SHARED.is_dir():
        pytest.skip(reason="no specs: set TOKENBOARD_SHARED")
    return dict(json.loads(text_of("specs/stripe.openapi.json")))


@pytest.fixture
def recorder(till: Till) -> Iterator[Recorder]:
    with Recorder() as session:
        yield session


@pytest.fixture
def client(till: Till, recorder: Recorder) -> StripeClient:
    wire = PaymentWire(session=recorder)
    return StripeClient(STRIPE_KEY, f"{till.url}/stripe", (STRIPE_SECRET,), wire=wire, retries=0)


@needs_shared
def test_every_call_and_every_answer_keeps_the_spec(till: Till, client: StripeClient, recorder: Recorder, spec: Spec):
    use_everything(till, client)
    faults = [fault for exchange in recorder.exchanges for fault in faults_of(spec, exchange)]
    assert faults == []
    seen = {found[0] for exchange in recorder.exchanges if (found := operation_of(spec, exchange))}
    assert len(seen) >= 29


@needs_shared
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.price("nothing"),
        lambda client: client.create_refund("pi_x", metadata={}, idempotency_key="k"),
        lambda client: client.expire_checkout("cs_x"),
    ],
)
def test_refusals_keep_the_spec_too(
    ask: Callable[[StripeClient], object], client: StripeClient, recorder: Recorder, spec: Spec
):
    with pytest.raises(PaymentError):
        ask(client)
    [exchange] = recorder.exchanges
    assert exchange.status >= 400
    assert faults_of(spec, exchange) == []


@needs_shared
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payment_method_types[0]", "card"),
        ("ui_mode", "hosted"),
        ("mode", "gift"),
        ("line_items[0][quantityy]", "1"),
        ("expires_at", "soon"),
    ],
)
def test_the_judge_does_refuse_what_breaks_the_spec(
    till: Till, client: StripeClient, recorder: Recorder, spec: Spec, name: str, value: str
):
    till_session = client.create_checkout(
        CheckoutRequest("payment", (CatalogueLine("price_SbxPack100"),), SUCCESS_URL, "https://x/", "o"),
        idempotency_key="k",
    )
    assert till_session.id
    [exchange] = recorder.exchanges
    assert faults_of(spec, exchange) == []
    body = exchange.request.body
    assert isinstance(body, str)
    pairs = [(key, one) for key, one in parse_qsl(body) if key != name]
    exchange.request.prepare_body([*pairs, (name, value)], None)
    assert faults_of(spec, exchange)


@needs_shared
def test_the_judge_does_refuse_an_answer_that_breaks_the_spec(client: StripeClient, recorder: Recorder, spec: Spec):
    client.price("price_SbxPack100")
    [exchange] = recorder.exchanges
    told = json.loads(exchange.body)
    for wrong in ({"unit_amount": "100"}, {"type": "gift"}, {"active": None}):
        exchange.body = json.dumps(told | wrong).encode()
        assert faults_of(spec, exchange), wrong


@pytest.fixture
def told(till: Till, official: stripe.StripeClient) -> dict[str, list[dict[str, Any]]]:
    """Events of the sandbox of every type the examples have, by type."""
    use_everything(till, till.stripe())
    delayed, failed = till.bought("debit_succeeds"), till.bought("debit_fails")
    for session, outcome in ((delayed, "succeeds"), (failed, "fails")):
        till.order("stripe/sessions", id=session.id, act="settle", outcome=outcome)
    asked = till.subscribed("authenticates_later").subscription_id or ""
    till.renew(asked)
    for status in ("won", "lost"):
        made = till.order("stripe/disputes", payment_intent=till.bought().payment_intent_id)["object"]
        till.order("stripe/disputes", id=made["id"], status=status)
    product = official.v1.products.create({"name": "X"})
    official.v1.products.update(product.id, {"active": False})
    price = official.v1.prices.create({"currency": "usd", "unit_amount": 1, "product": product.id})
    official.v1.prices.update(price.id, {"active": False})
    till.order("stripe/prices/delete", id=price.id)
    official.v1.products.delete(product.id)
    till.order("stripe/next_refund", status="pending")
    made = till.stripe().create_refund(till.bought().payment_intent_id or "", metadata={}, idempotency_key="last")
    till.order("stripe/refunds", id=made.id, status="succeeded")
    official.v1.customers.delete(till.customer())
    found: dict[str, list[dict[str, Any]]] = {}
    for event in till.stripe().events(NOW - timedelta(days=1)):
        found.setdefault(event.type, []).append(dict(event.payload))
    return found


@needs_shared
def test_the_sandboxs_events_have_every_key_of_the_examples(told: dict[str, list[dict[str, Any]]]):
    faults = []
    for path in EXAMPLES:
        example = json.loads(path.read_text())
        ours = told.get(example["type"])
        if not ours:
            faults.append(f"{path.stem}: the sandbox never says {example['type']}")
            continue
        wanted = shape_of(example, FREE)
        lost = [missing_keys(wanted, shape_of(event, FREE)) for event in ours]
        faults += [f"{path.stem}: {key}" for keys in lost for key in keys if key not in SOMETIMES]
        if [] not in lost:
            faults.append(f"{path.stem}: no event has all its keys")
    assert sorted(set(faults)) == []


@needs_shared
def test_the_sandboxs_events_have_no_key_the_spec_does_not_know(spec: Spec, told: dict[str, list[dict[str, Any]]]):
    schemas = spec["components"]["schemas"]
    faults = set()
    for kind, events in told.items():
        for event in events:
            about = event["data"]["object"]
            schema = schemas.get(about["object"])
            if schema is None:
                continue
            faults |= {f"{kind}: {key}" for key in about if key not in schema["properties"]}
            faults |= set(errors_of(spec, schema, about, kind))
    assert sorted(faults) == []


def test_the_examples_are_where_they_are_said_to_be():
    assert EXAMPLES == [] or Path(EXAMPLES[0]).name.startswith("01-")
