"""An upstream that says exactly the bytes it is told, block by block, over a real socket; encrypted if wanted."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tokenboard.core import clock
from tokenboard.providers.chat_client import ChatCall, ChatClient, ChatLimits, ChatStream, Piece
from tokenboard.providers.chat_errors import ChatError
from tokenboard.providers.chat_wire import ChatPool

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
RESET = "reset"  # a step: the connection is torn down instead of closed
CALL = ChatCall("call-1", "sandbox-swift", [{"role": "user", "content": "Hello"}], 100)
# Long enough for a busy machine, short enough for a test that fails.
SHORT = ChatLimits(
    connect_seconds=5,
    backoff_seconds=0,
    first_byte_seconds=5,
    silence_seconds=5,
    ending_seconds=0.1,
    answer_seconds=5,
    listing_seconds=5,
)
HASTY = replace(SHORT, first_byte_seconds=0.2, silence_seconds=0.2)  # where the wait is what is tested

Step = bytes | threading.Event | str


@dataclass
class RawUpstream:
    """Each connection takes the next script: bytes are sent at once, an event is waited for."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None
    waiting: list[threading.Event] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    scripts: list[Sequence[Step]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    has_ended: threading.Event = field(default_factory=threading.Event)  # a client closed its connection
    pool: ChatPool = field(default_factory=ChatPool)  # of clients that trust it

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"

    def say(self, *steps: Step) -> None:
        self.scripts.append(steps)

    def client(self, limits: ChatLimits = SHORT) -> ChatClient:
        return ChatClient(self.url, "sk-secret-key", limits=limits, pool=self.pool)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.threads.append(threading.Thread(target=self._answer, args=(connection,), daemon=True))
            self.threads[-1].start()

    def _answer(self, plain: socket.socket) -> None:
        connection = plain
        with contextlib.suppress(OSError, IndexError):
            if self.tls:
                connection = self.tls.wrap_socket(plain, server_side=True)
            while (request := _request(connection)) is not None:
                self.requests.append(request)
                self._say(connection, self.scripts.pop(0))
        connection.close()
        self.has_ended.set()

    def _say(self, connection: socket.socket, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, threading.Event):
                self.waiting.append(step)
                step.wait(10)
            elif isinstance(step, bytes):
                connection.sendall(step)
            else:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
        if LAST_CHUNK not in steps:
            connection.close()


def _request(connection: socket.socket) -> bytes | None:
    """A whole request: head, and a body of the stated length. None at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        block = connection.recv(65_536)
        if not block:
            return None
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def raw_upstream(tls: ssl.SSLContext | None = None) -> Iterator[RawUpstream]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = RawUpstream(listener, tls)
        thread = threading.Thread(target=served.serve, daemon=True)
        thread.start()
        yield served
        served.pool.close()
        listener.shutdown(socket.SHUT_RDWR)
        for gate in served.waiting:
            gate.set()
        for one in (thread, *served.threads):
            one.join(10)


def chunk(*payloads: object) -> bytes:
    """One HTTP chunk with these events: objects as JSON, bytes as they are."""
    content = b"".join(event(payload) for payload in payloads)
    return b"%x\r\n%b\r\n" % (len(content), content)


def event(payload: object) -> bytes:
    text = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    return b"data: " + text + b"\n\n"


def delta(text: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk as providers send it."""
    reason = more.pop("finish_reason", None)
    inner = ({} if text is None else {"content": text}) | more
    return {"choices": [{"index": 0, "delta": inner} | ({"finish_reason": reason} if reason else {})]}


def stopped(reason: str = "stop") -> dict[str, Any]:
    return delta(finish_reason=reason)


USAGE = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 50, "total_tokens": 62}}
ANSWER = (STREAM_HEAD, chunk(delta("Hel"), delta("lo")), chunk(stopped(), USAGE, b"[DONE]"), LAST_CHUNK)


def plain(content_type: bytes, body: bytes, more: bytes = b"") -> bytes:
    """A whole answer of a stated length."""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n"
    return head % (content_type, len(body), more) + body


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for 127.0.0.1, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "upstream.pem"
    file.write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.fixture(params=["http", "https"])
def upstream(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RawUpstream]:
    """Both ways: what is drained, cut and stopped must not depend on encryption."""
    server, client = certified(tmp_path) if request.param == "https" else (None, None)
    with raw_upstream(server) as served:
        served.pool = ChatPool(client)
        yield served


@pytest.fixture
def chat_client(upstream: RawUpstream) -> ChatClient:
    return upstream.client()


def read(stream: ChatStream) -> list[Piece]:
    with stream:
        return list(stream)


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def failing(client: ChatClient) -> tuple[list[Piece], ChatError]:
    """What came before it broke, and how it broke."""
    pieces: list[Piece] = []
    with pytest.raises(ChatError) as broken:
        with client.stream(CALL) as stream:
            pieces.extend(stream)
    return pieces, broken.value
