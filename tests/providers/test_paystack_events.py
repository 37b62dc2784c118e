"""Paystack's webhooks: signed with the key itself, without an id and without a time."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.shared import SHARED, needs_shared
from tokenboard.providers import paystack_answers
from tokenboard.providers.payments import EventUnreadable, SecretMissing, SignatureRefused
from tokenboard.providers.paystack_client import PaystackClient
from tokenboard.providers.paystack_events import check_signature
from tokenboard.providers.paystack_objects import PaystackStatus

KEY = "sk_live_abc"
EXAMPLES = sorted((SHARED / "examples/paystack").glob("event_*.json")) if SHARED.is_dir() else []
CHARGE = {
    "event": "charge.success",
    "data": {"id": 4_099_260_516, "domain": "live", "status": "success", "reference": "tb-1", "amount": 100},
}
BODY = json.dumps(CHARGE).replace("/", r"\/").encode()


def signed(body: bytes, key: str = KEY) -> str:
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def refund_body(**changed: object) -> bytes:
    about = {"status": "processed", "transaction_reference": "tb-1", "refund_reference": None, "amount": "50"}
    return json.dumps({"event": "refund.processed", "data": {**about, "domain": "live", **changed}}).encode()


def test_a_signed_event_is_read():
    event = PaystackClient(KEY).verify_event(BODY, signed(BODY))
    assert (event.type, event.reference, event.object_id) == ("charge.success", "tb-1", "4099260516")
    assert event.key == "charge.success:4099260516:success"
    assert (event.is_live, event.foreign) == (True, None)


def test_openssl_signs_alike(tmp_path: Path):
    if shutil.which("openssl") is None:
        pytest.skip(reason="no openssl on this machine")
    (tmp_path / "body").write_bytes(b'{"url":"https:\\/\\/x"}')
    command = ["openssl", "dgst", "-sha512", "-hmac", KEY, str(tmp_path / "body")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    check_signature((tmp_path / "body").read_bytes(), said.split()[-1], [KEY])


@pytest.mark.parametrize("header", [None, "", "junk", signed(BODY, "sk_live_other"), signed(BODY)[:-1], "ü" * 128])
def test_a_signature_that_is_not_right_is_wrong(header: str | None):
    with pytest.raises(SignatureRefused):
        PaystackClient(KEY).verify_event(BODY, header)


def test_a_body_written_again_is_another_body():
    with pytest.raises(SignatureRefused):
        PaystackClient(KEY).verify_event(json.dumps(json.loads(BODY), indent=1).encode(), signed(BODY))


def test_without_a_key_nothing_is_believed():
    with pytest.raises(SecretMissing):
        check_signature(BODY, signed(BODY, ""), ["", " "])


def test_while_keys_are_exchanged_the_former_one_does_too():
    client = PaystackClient("sk_live_new", former_keys=(KEY,))
    assert client.verify_event(BODY, signed(BODY)).reference == "tb-1"
    with pytest.raises(SignatureRefused):
        PaystackClient("sk_live_new", former_keys=("",)).verify_event(BODY, signed(BODY, ""))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"event": "charge.success"}',
        b'{"event": "charge.success", "data": {"domain": "mars"}}',
        b'{"event": "charge.success", "data": []}',
        b"[" * 200_000,
        b" " * (1024 * 1024 + 1),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_signed_and_still_no_event_is_said_so(body: bytes):
    with pytest.raises(EventUnreadable):
        PaystackClient(KEY).verify_event(body, signed(body))


def test_a_test_event_at_a_live_key_is_told_not_believed():
    body = BODY.replace(b'"live"', b'"test"')
    assert "test event" in (PaystackClient(KEY).verify_event(body, signed(body)).foreign or "")


def test_a_resend_has_the_key_of_its_event_and_others_have_not():
    read = PaystackClient(KEY).read_event
    assert read(refund_body()).key == read(refund_body()).key
    keys = {
        read(body).key
        for body in (
            refund_body(),
            refund_body(amount="51"),
            refund_body(refund_reference="TRF_1"),
            refund_body(refund_reference="TRF_2"),
            refund_body(refund_reference="TRF_2", status="failed"),
            BODY,
        )
    }
    assert len(keys) == 6
    assert read(refund_body()).reference == "tb-1"


@needs_shared
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_documented_event_is_read(path: Path):
    body = path.read_bytes()
    told = json.loads(body)
    event = PaystackClient("sk_live_x" if told["data"]["domain"] == "live" else "sk_test_x").read_event(body)
    assert event.foreign is None
    assert event.reference
    if event.type == "charge.success":
        paid = paystack_answers.transaction(event.object)
        assert (paid.status, paid.amount) == (PaystackStatus.SUCCEEDED, told["data"]["amount"])
    elif event.type.startswith("refund."):
        refund = paystack_answers.refund(event.object)
        assert (refund.amount, refund.reference) == (int(told["data"]["amount"]), event.reference)
    else:
        dispute = paystack_answers.dispute(event.object)
        assert dispute.is_lost is (told["data"]["resolution"] == "auto-accepted")


@pytest.mark.parametrize("metadata", ["", 0, None, "words", "{broken", '["list"]', "{" * 9_000])
def test_odd_metadata_are_none(metadata: object):
    assert paystack_answers.metadata_of(metadata) == {}


def test_metadata_written_as_text_are_read():
    assert paystack_answers.metadata_of('{"order_id": "o1"}') == {"order_id": "o1"}


@pytest.mark.parametrize("word", ["pending", "ongoing", "processing", "queued", "send_otp", "pay_offline", "new-word"])
def test_what_is_not_decided_is_pending(word: str):
    assert paystack_answers.status_of(word) is PaystackStatus.PENDING
