"""Stripe's webhooks: only what is signed, now and for us is believed. The traps are those of the reference, 1.4."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stripe

from tests.contract.shared import SHARED, needs_shared
from tokenboard.providers.payments import EventUnreadable, SecretMissing, SignatureRefused, WebhookRefused
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.providers.stripe_events import API_VERSION

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
MOMENT = int(NOW.timestamp())
SECRET, OTHER = "whsec_current", "whsec_former"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": API_VERSION,
    "created": MOMENT - 5,
    "livemode": False,
    "type": "charge.refunded",
    "data": {"object": {"id": "ch_1", "object": "charge"}, "previous_attributes": {"amount_refunded": 0}},
}
BODY = json.dumps(EVENT, indent=2)
EXAMPLES = sorted((SHARED / "examples/stripe").glob("*.json")) if SHARED.is_dir() else []


def client(*secrets: str, key: str = "sk_test_x") -> StripeClient:
    return StripeClient(key, webhook_secrets=secrets or (SECRET,))


def signed(body: str, secret: str = SECRET, at: int = MOMENT) -> str:
    """The official library's own signer."""
    return stripe.WebhookSignature.generate_signature_header(body, secret, at)


def signed_bytes(body: bytes, secret: str = SECRET, at: int = MOMENT) -> str:
    mark = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mark}"


def test_a_signed_event_is_read_whole():
    event = client().verify_event(BODY.encode(), signed(BODY), NOW)
    assert (event.id, event.type, event.object_id) == ("evt_1", "charge.refunded", "ch_1")
    assert event.created_at == NOW - timedelta(seconds=5)
    assert event.previous == {"amount_refunded": 0}
    assert event.payload == EVENT
    assert (event.is_live, event.api_version, event.foreign) == (False, API_VERSION, None)
    assert client().read_event(BODY.encode()) == event


def test_while_secrets_are_exchanged_either_one_does():
    both = client(SECRET, OTHER)
    for secret in (SECRET, OTHER):
        assert both.verify_event(BODY.encode(), signed(BODY, secret), NOW).id == "evt_1"
    two_marks = f"{signed(BODY, 'whsec_unknown')},{signed(BODY, SECRET).split(',')[1]}"
    assert client().verify_event(BODY.encode(), two_marks, NOW).id == "evt_1"


@pytest.mark.parametrize("secrets", [("",), ("  ", "\t"), ()])
def test_without_a_secret_nothing_is_believed(secrets: tuple[str, ...]):
    without = StripeClient("sk_test_x", webhook_secrets=secrets)
    assert not without.can_verify
    forged = signed_bytes(BODY.encode(), "")
    with pytest.raises(SecretMissing):
        without.verify_event(BODY.encode(), forged, NOW)


def test_a_blank_secret_beside_a_real_one_opens_no_door():
    half = client(SECRET, "")
    with pytest.raises(SignatureRefused):
        half.verify_event(BODY.encode(), signed_bytes(BODY.encode(), ""), NOW)


GOOD_MARK = signed(BODY).split("v1=")[1]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        signed(BODY, "whsec_wrong"),
        f"t={MOMENT},v0={GOOD_MARK}",
        f"v1={GOOD_MARK}",
        f"t=,v1={GOOD_MARK}",
        f"t={MOMENT}",
        f"t=\u0661\u0662,v1={GOOD_MARK}",
        f"t={MOMENT},v1=\u00fcnlike",
        f"t={MOMENT},v1={GOOD_MARK.upper()}",
        f"t={MOMENT},t={MOMENT},v1={GOOD_MARK}",
        f"t={'9' * 400},v1={GOOD_MARK}",
        signed(BODY) + "," * 5_000,
    ],
)
def test_a_signature_that_is_not_quite_right_is_wrong(header: str | None):
    with pytest.raises(SignatureRefused):
        client().verify_event(BODY.encode(), header, NOW)


def test_a_body_written_again_is_another_body():
    with pytest.raises(SignatureRefused):
        client().verify_event(json.dumps(EVENT).encode(), signed(BODY), NOW)


@pytest.mark.parametrize(
    ("seconds", "is_believed"), [(-299, True), (-301, False), (299, True), (301, False), (86_400, False)]
)
def test_neither_the_past_nor_the_future_is_believed(seconds: int, is_believed: bool):
    header = signed(BODY, at=MOMENT + seconds)
    if is_believed:
        assert client().verify_event(BODY.encode(), header, NOW).id == "evt_1"
        return
    with pytest.raises(SignatureRefused, match="is a clock wrong"):
        client().verify_event(BODY.encode(), header, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"\xff\xfe",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"object": "v2.core.event", "id": "evt_2"}',
        b'{"object": "event"}',
        b"[" * 200_000,
        b'{"a": NaN}',
        json.dumps({**EVENT, "id": None}).encode(),
        json.dumps({**EVENT, "type": 7}).encode(),
        json.dumps({**EVENT, "created": "yesterday"}).encode(),
        json.dumps({**EVENT, "livemode": "no"}).encode(),
        json.dumps({**EVENT, "data": {"object": []}}).encode(),
        json.dumps({**EVENT, "data": None}).encode(),
        b" " * (1024 * 1024 + 1),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_signed_and_still_no_event_is_said_so(body: bytes):
    with pytest.raises(EventUnreadable):
        client().verify_event(body, signed_bytes(body), NOW)


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"api_version": "2023-08-16"}, "sk_test_x", "API version"),
        ({"api_version": None}, "sk_test_x", "API version"),
        ({"livemode": True}, "sk_test_x", "live event at a test key"),
        ({}, "sk_live_x", "test event at a live key"),
        ({"account": "acct_1"}, "sk_test_x", "connected account"),
    ],
)
def test_signed_for_somebody_else_is_told_not_believed(change: dict[str, object], key: str, words: str):
    body = json.dumps({**EVENT, **change})
    event = client(SECRET, key=key).verify_event(body.encode(), signed(body), NOW)
    assert event.foreign is not None
    assert words in event.foreign


@needs_shared
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_event_is_ours_and_read(path: Path):
    body = path.read_text()
    event = client().verify_event(body.encode(), signed(body), NOW)
    told = json.loads(body)
    assert (event.id, event.type) == (told["id"], told["type"])
    assert event.foreign is None
    assert event.object_id == told["data"]["object"]["id"]


def test_the_library_agrees_about_what_is_signed():
    header = signed_bytes(BODY.encode(), at=int(datetime.now(UTC).timestamp()))
    assert stripe.WebhookSignature.verify_header(BODY, header, SECRET, 300)
    assert issubclass(SignatureRefused, WebhookRefused)
