"""Giant and half-sent requests over raw sockets, at gunicorn as it serves on PostgreSQL (F18, F22)."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import House
from tests.faults.site import Site, site

MEGABYTE = 2**20
GROWTH_LIMIT_BYTES = 50 * MEGABYTE
HALF_OPEN = 64

_HEAD = "POST {path} HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: {kind}\r\n{more}\r\n"
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


@pytest.fixture(scope="module")
def running(postgresql_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    postgresql_house.empty()
    with site(postgresql_house.app, tmp_path_factory.mktemp("site"), has_worker=False, WEB_CONCURRENCY="1") as made:
        yield made


def _head(path: str, kind: str, more: str) -> bytes:
    return _HEAD.format(path=path, kind=kind, more=more).encode()


def _sent(running: Site, head: bytes, body: Iterator[bytes]) -> int:
    """What the first line of the answer says; 0 when the line was cut without one."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as line:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(head)
            for piece in body:
                line.sendall(piece)
        with contextlib.suppress(ConnectionResetError):
            said = line.recv(4_096)
            return int(said.split()[1]) if said else 0
    return 0


def _resident_bytes(running: Site) -> int:
    words = Path(f"/proc/{running.web_processes()[0]}/statm").read_text(encoding="ascii").split()
    return int(words[1]) * 4_096


def _pieces(count: int, piece: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: (piece for _ in range(count))


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


# name, head, body, what may be answered; 0: the line was cut, which a proxy turns into its own 502 or 413
_GIANTS = [
    (
        "100 MB",
        _head("/login", _FORM, f"Content-Length: {100 * MEGABYTE}\r\n"),
        _pieces(100, b"x" * MEGABYTE),
        {413, 0},
    ),
    (
        "100 MB in chunks",
        _head("/login", _FORM, "Transfer-Encoding: chunked\r\n"),
        _pieces(100, _chunk(b"x" * MEGABYTE)),
        {411, 0},
    ),
    ("60,000 fields", _head("/login", _FORM, "Content-Length: 240000\r\n"), _pieces(60_000, b"a=1&"), {413}),
    ("nested JSON", _head("/api/auth/login", _JSON, "Content-Length: 100000\r\n"), _pieces(100, b"[" * 1_000), {422}),
    ("a header of 1 MB", _head("/login", _FORM, f"X-Long: {'x' * MEGABYTE}\r\n"), _pieces(0, b""), {400, 431, 0}),
    (
        "a path of 1 MB",
        b"GET /" + b"x" * MEGABYTE + b" HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
        _pieces(0, b""),
        {400, 414, 0},
    ),
    (
        "a thousand headers",
        _head("/login", _FORM, "".join(f"X-{n}: 1\r\n" for n in range(1_000))),
        _pieces(0, b""),
        {400, 431},
    ),
    (
        "two lengths",
        _head("/login", _FORM, "Content-Length: 5\r\nContent-Length: 6\r\n"),
        _pieces(1, b"a=1&b="),
        {400},
    ),
    (
        "a length beside chunks",
        _head("/login", _FORM, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        _pieces(1, b"0\r\n\r\n"),
        {400, 411},
    ),
]


@pytest.mark.parametrize(("head", "body", "may"), [one[1:] for one in _GIANTS], ids=[one[0] for one in _GIANTS])
def test_what_is_too_much_is_refused_and_costs_no_memory(
    running: Site, head: bytes, body: Callable[[], Iterator[bytes]], may: set[int]
):
    process, before = running.web_processes(), _resident_bytes(running)

    assert _sent(running, head, body()) in may
    assert running.web_processes() == process, "the process died of it"
    assert _resident_bytes(running) - before < GROWTH_LIMIT_BYTES


def test_sixty_four_half_sent_requests_keep_nobody_waiting(running: Site):
    with contextlib.ExitStack() as open_lines:
        for _ in range(HALF_OPEN):
            line = socket.create_connection(("127.0.0.1", running.port), timeout=20)
            open_lines.enter_context(line)
            line.sendall(b"GET / HTTP/1.1\r\nHost: localhost:8000\r\nX-Slow: ")
        begun = time.monotonic()
        status = _sent(running, b"GET /healthz HTTP/1.1\r\nHost: localhost:8000\r\n\r\n", iter(()))

    assert status == 200
    assert time.monotonic() - begun < 2
