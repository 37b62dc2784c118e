"""Posts a signed message to an address somebody typed in.

Laws: it connects to the address that was checked, not to what the name means a moment later (TLS still proves the
name); no redirects, no proxies, no cookies; a deadline for handshake and answer, so that nobody holds a worker by
trickling; of the answer only the status is read (headers of at most 100 lines pass by), its body never.
Who checks: notices/addresses.py.
Source: reference "Security", SSRF; Standard Webhooks (2xx only = success), read 2026-11-20.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from tokenboard.core import clock

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
DEADLINE_SECONDS = 20  # Standard Webhooks asks senders to wait 15 to 30 s
_ADDRESSES_MAX = 3


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes: the name to be proven and shown, and the addresses that were checked."""

    host: str
    port: int
    path: str
    is_tls: bool
    ip_addresses: tuple[str, ...]

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.is_tls else 80) else f"{name}:{self.port}"


class WebhookUnreachable(Exception):
    """No answer came. The message says why, in words that may be shown to the owner."""


def post(
    destination: Destination, body: bytes, headers: Mapping[str, str], *, deadline_seconds: float = DEADLINE_SECONDS
) -> int:
    """The status of the answer. Raises: WebhookUnreachable."""
    begun = clock.monotonic()
    status: int | None = None
    try:
        with _connected(destination) as line, _deadline(line, deadline_seconds):
            status = _exchange(destination, line, body, headers)
            return status
    except ssl.SSLError as error:
        raise WebhookUnreachable("its certificate could not be verified, or TLS failed") from error
    except TimeoutError as error:
        raise WebhookUnreachable("it did not answer in time") from error
    except (OSError, http.client.HTTPException) as error:
        raise WebhookUnreachable("it could not be reached, or hung up without an answer") from error
    finally:
        spent_ms = round((clock.monotonic() - begun) * 1000)
        log.info("webhook call", extra={"host": destination.host, "status": status, "duration_ms": spent_ms})


def _exchange(destination: Destination, line: socket.socket, body: bytes, headers: Mapping[str, str]) -> int:
    if isinstance(line, ssl.SSLSocket):
        line.do_handshake()  # here, so that the deadline counts it
    connection = http.client.HTTPConnection(destination.host, destination.port)
    connection.sock = line
    fixed = {"Host": destination.host_header, "User-Agent": "TokenBoard", "Content-Type": "application/json"}
    connection.request("POST", destination.path, body=body, headers=fixed | dict(headers) | {"Connection": "close"})
    return connection.getresponse().status


@contextlib.contextmanager
def _connected(destination: Destination) -> Iterator[socket.socket]:
    line = _first_that_connects(destination)
    with line:
        if not destination.is_tls:
            yield line
            return
        trusted = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
        late = trusted.wrap_socket(line, server_hostname=destination.host, do_handshake_on_connect=False)
        with late as wrapped:
            yield wrapped


def _first_that_connects(destination: Destination) -> socket.socket:
    failure = OSError("no address")
    for ip_address in destination.ip_addresses[:_ADDRESSES_MAX]:
        try:
            return socket.create_connection((ip_address, destination.port), timeout=CONNECT_SECONDS)
        except OSError as error:
            failure = error
    raise failure


@contextlib.contextmanager
def _deadline(line: socket.socket, seconds: float) -> Iterator[None]:
    """Hang up when the time is over: a time-out on the socket only bounds the wait between two bytes.

    Raises: TimeoutError.
    """
    is_over = threading.Event()

    def hang_up() -> None:
        is_over.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    line.settimeout(seconds)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if is_over.is_set():  # half an answer reads like a whole one once we have hung up
        raise TimeoutError("the deadline is over")
