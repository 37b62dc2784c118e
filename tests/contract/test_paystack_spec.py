"""What our client says to Paystack and what the sandbox answers keep Paystack's own OpenAPI file.

Not judged: the answers of /charge; every documented sample fails the file's own schema. There the samples' keys are the
judge.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from openapi_core.exceptions import OpenAPIError

from tests.contract.paystack_judge import Judge, judge_of
from tests.contract.recorded import Recorder
from tests.contract.shapes import missing_keys, shape_of
from tests.contract.shared import SHARED, example, needs_shared
from tests.providers.stand_in import NOW
from tests.providers.till import PAYSTACK_KEY, Shop, Till
from tokenboard.providers.payment_wire import PaymentWire
from tokenboard.providers.payments import DuplicateReference, KeyRefused, PaymentError
from tokenboard.providers.paystack_client import PaystackClient

FREE = frozenset(("metadata", "authorization", "log", "customer", "plan", "subaccount"))
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as session:
        yield session


@pytest.fixture
def client(till: Till, recorder: Recorder) -> PaystackClient:
    return PaystackClient(PAYSTACK_KEY, f"{till.url}/paystack", PaymentWire(session=recorder), retries=0)


@pytest.fixture
def judge(till: Till) -> Judge:
    return judge_of(f"{till.url}/paystack")


def begin(client: PaystackClient, reference: str = "tb-1") -> None:
    client.initialize(
        email="a@example.com",
        amount=65_000,
        currency="KES",
        reference=reference,
        callback_url="https://shop.example/back",
        channels=("card", "mobile_money"),
        metadata={"order_id": "o1"},
    )


def use_everything(till: Till, client: PaystackClient) -> None:
    """Every method of the client."""
    begin(client)
    client.verify("tb-1")
    till.order("paystack/pay", reference="tb-1")
    client.verify("tb-1")
    client.charge_mpesa(email="a@example.com", amount=100, phone="+254712345678", reference="tb-2")
    client.check_charge("tb-2")
    till.order("paystack/phone", reference="tb-2", answer="accept")
    client.verify("tb-2")
    client.check_charge("tb-2")
    refund = client.create_refund("tb-1", amount=100, currency="KES", note="half")
    client.refund(refund.id or "")
    till.order("paystack/disputes", reference="tb-2")
    list(client.transactions(YESTERDAY, TOMORROW, "success"))
    list(client.refunds(YESTERDAY, TOMORROW))
    list(client.disputes(YESTERDAY, TOMORROW))


@needs_shared
def test_every_call_and_every_answer_keeps_the_spec(
    till: Till, client: PaystackClient, recorder: Recorder, judge: Judge
):
    use_everything(till, client)
    for exchange in recorder.exchanges:
        judge(exchange)
    assert len(recorder.exchanges) == 12


@needs_shared
@pytest.mark.parametrize(
    ("ask", "kind", "name"),
    [
        (begin, DuplicateReference, "error_400_duplicate_reference"),
        (lambda client: client.verify("nobody"), PaymentError, "api_charges-check_400"),
    ],
)
def test_a_refusal_has_the_documented_keys(
    client: PaystackClient,
    recorder: Recorder,
    ask: Callable[[PaystackClient], object],
    kind: type[PaymentError],
    name: str,
):
    begin(client)
    with pytest.raises(kind):
        ask(client)
    told, documented = json.loads(recorder.exchanges[-1].body), example(f"paystack/{name}.json")
    assert {**told, "errorCodeMappingNotFound": False} == {**documented, "errorCodeMappingNotFound": False}


@needs_shared
def test_a_refused_key_is_told_as_documented(till: Till, recorder: Recorder):
    client = PaystackClient("sk_test_unknown", f"{till.url}/paystack", PaymentWire(session=recorder), retries=0)
    with pytest.raises(KeyRefused):
        client.verify("tb-1")
    assert json.loads(recorder.exchanges[-1].body) == example("paystack/error_401_invalid_key.json")


@needs_shared
@pytest.mark.parametrize("wrong", [{"amount": "many"}, {"currency": "EUR"}, {"channels": ["pigeon"]}, {"email": None}])
def test_the_judge_does_refuse_what_breaks_the_spec(
    client: PaystackClient, recorder: Recorder, judge: Judge, wrong: dict[str, object]
):
    begin(client)
    [exchange] = recorder.exchanges
    judge(exchange)
    assert exchange.request.body
    exchange.request.body = json.dumps({**json.loads(exchange.request.body), **wrong}).encode()
    with pytest.raises(OpenAPIError):
        judge(exchange)


@needs_shared
def test_the_judge_does_refuse_an_answer_that_breaks_the_spec(client: PaystackClient, recorder: Recorder, judge: Judge):
    begin(client)
    client.verify("tb-1")
    exchange = recorder.exchanges[-1]
    judge(exchange)
    told = json.loads(exchange.body)
    del told["data"]["requested_amount"]
    exchange.body = json.dumps(told).encode()
    with pytest.raises(OpenAPIError):
        judge(exchange)


@needs_shared
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/charge", "charge_mobile-mpesa"),
        ("/transaction/verify/tb-1", "api_transactions-verify_200"),
        ("/refund", "api_refunds-create_200"),
    ],
)
def test_an_answer_has_every_documented_key(
    till: Till, client: PaystackClient, recorder: Recorder, path: str, name: str
):
    use_everything(till, client)
    found = [one for one in recorder.exchanges if str(one.request.path_url) == f"/paystack{path}"]
    wanted = shape_of(example(f"paystack/{name}.json"), FREE)
    assert missing_keys(wanted, shape_of(json.loads(found[-1].body), FREE)) == []


@needs_shared
def test_the_sandboxs_events_have_every_key_of_the_examples(till: Till, client: PaystackClient, shop: Shop):
    till.order("webhooks", provider="paystack", url=shop.url, mode="held")
    use_everything(till, client)
    for status in ("processing", "processed"):
        till.order("paystack/refunds", id=client.create_refund("tb-1", amount=100).id, status=status)
    for status in ("failed", "needs-attention"):
        till.order("paystack/refunds", id=client.create_refund("tb-1", amount=100).id, status=status)
    [dispute] = client.disputes(YESTERDAY, TOMORROW)
    for act in ("remind", "declined"):
        till.order("paystack/disputes", id=dispute.id, act=act)
    till.order("webhooks/deliver", provider="paystack")
    told: dict[str, list[dict[str, Any]]] = {}
    for arrived in shop.all():
        event = json.loads(arrived.body)
        told.setdefault(event["event"], []).append(event)
    faults = []
    for path in sorted((SHARED / "examples/paystack").glob("event_*.json")):
        documented = json.loads(path.read_text())
        ours = told.get(documented["event"], [{}])
        wanted = shape_of(documented, FREE)
        faults += [f"{path.stem}: {key}" for event in ours for key in missing_keys(wanted, shape_of(event, FREE))]
        if ours == [{}]:
            faults.append(f"{path.stem}: the sandbox never says {documented['event']}")
    assert faults == []
