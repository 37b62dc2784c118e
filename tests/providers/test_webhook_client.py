"""Webhooks go exactly where they were checked to go, and nobody can hold the sender up."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.notices.receivers import webhook_receiver
from tokenboard.providers import webhook_client
from tokenboard.providers.webhook_client import Destination, WebhookUnreachable

PATIENCE_SECONDS = 20  # the trickle never ends by itself: this only has to be an end


def _to(url: str, host: str = "hooks.example", ip_address: str = "127.0.0.1") -> Destination:
    parts = urlsplit(url)
    return Destination(host, parts.port or 80, parts.path, parts.scheme == "https", (ip_address,))


def test_the_checked_address_is_asked_under_the_name_that_was_typed():
    with webhook_receiver() as receiver:
        status = webhook_client.post(_to(receiver.url), b'{"a":1}', {"webhook-id": "m1"})

    (request,) = receiver.requests
    assert status == 204
    assert (request.path, request.body) == ("/hook", b'{"a":1}')
    assert request.headers["host"] == f"hooks.example:{urlsplit(receiver.url).port}"
    assert request.headers["webhook-id"] == "m1"
    assert request.headers["content-type"] == "application/json"


def test_a_redirect_is_an_answer_not_a_way():
    with webhook_receiver() as elsewhere, webhook_receiver() as receiver:
        receiver.status, receiver.location = 302, elsewhere.url

        assert webhook_client.post(_to(receiver.url), b"{}", {}) == 302

    assert elsewhere.requests == []


def test_a_proxy_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch):
    with webhook_receiver() as proxy, webhook_receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)

        webhook_client.post(_to(receiver.url), b"{}", {})

    assert (len(proxy.requests), len(receiver.requests)) == (0, 1)


def test_the_next_address_is_tried_when_the_first_does_not_answer():
    with webhook_receiver() as receiver:
        one = _to(receiver.url)
        both = Destination(one.host, one.port, one.path, one.is_tls, ("127.0.0.2", "127.0.0.1"))

        assert webhook_client.post(both, b"{}", {}) == 204


def test_nobody_there_is_told_without_the_address():
    with pytest.raises(WebhookUnreachable) as refused:
        webhook_client.post(_to("http://x:1/hook"), b"{}", {})

    assert "127.0.0.1" not in str(refused.value)


@pytest.fixture
def trickler() -> Iterator[int]:
    """A receiver that sends one header byte every few milliseconds, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def drip() -> None:
        line, _ = listener.accept()
        with line:
            line.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            try:
                while not is_over.wait(0.02):
                    line.sendall(b"a")
            except OSError:
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    is_over.set()
    listener.close()
    thread.join(5)


def test_a_receiver_that_only_trickles_is_left_at_the_deadline(trickler: int):
    begun = time.perf_counter()

    with pytest.raises(WebhookUnreachable):
        webhook_client.post(_to(f"http://x:{trickler}/"), b"{}", {}, deadline_seconds=0.3)

    assert time.perf_counter() - begun < PATIENCE_SECONDS


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A TLS server whose certificate nobody vouches for."""
    certificate = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def shake() -> None:
        line, _ = listener.accept()
        with line:
            try:
                context.wrap_socket(line, server_side=True).close()
            except OSError:
                return

    thread = threading.Thread(target=shake, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.close()
    thread.join(5)


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


def test_a_certificate_nobody_vouches_for_is_refused(tls_port: int):
    with pytest.raises(WebhookUnreachable, match="certificate"):
        webhook_client.post(_to(f"https://x:{tls_port}/"), b"{}", {})
