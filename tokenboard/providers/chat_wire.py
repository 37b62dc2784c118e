"""Connections to the chat upstream: opened, encrypted, kept for the next request, interrupted from anywhere.

A read takes everything that has arrived, up to 64 KiB, and never waits for more than one arrival: over TLS too, which
is why TLS is done in memory beside a plain socket (an SSLSocket gives one record a call, and cannot be shut down while
another thread reads). Works the same on threads and on gevent's greenlets; nothing here knows which.

Laws: certificates are verified; no proxy is taken from the environment; a connection that was idle for longer than
servers keep one open, or has something to read before it was asked, is not used again.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass

import certifi

from tokenboard.core import clock

_READ_BYTES = 65_536
_IDLE_SECONDS = 4.0  # below uvicorn's five: a request must not meet a connection that is just being closed
_IDLE_MAX = 64  # kept connections an origin


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads."""

    host: str
    port: int
    is_tls: bool

    @property
    def authority(self) -> str:
        """As the Host header wants it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_usual = self.port == (443 if self.is_tls else 80)
        return host if is_usual else f"{host}:{self.port}"


class Channel:
    """One plain connection. Every method may raise OSError; TimeoutError among them."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._seconds: float | None = None

    def wait_at_most(self, seconds: float) -> None:
        """How long the next send or receive may wait."""
        if seconds != self._seconds:  # each change is a system call
            self._socket.settimeout(seconds)
            self._seconds = seconds

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """What has arrived; waits for the first byte. Empty at the end of the connection."""
        return self._socket.recv(_READ_BYTES)

    def is_quiet(self) -> bool:
        """Whether the other side has neither sent anything nor closed."""
        self.wait_at_most(0)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def interrupt(self) -> None:
        """End the connection and wake whoever waits on it. From any thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Only when nobody waits on it: the number of a closed socket may be somebody else's at once."""
        self._socket.close()


class TlsChannel(Channel):
    """One encrypted connection."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, host: str, seconds: float) -> None:
        super().__init__(connection)
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=host)
        until = clock.monotonic() + seconds
        self.wait_at_most(seconds)
        while not self._has_shaken_hands():
            self._flush()
            if clock.monotonic() > until:
                raise TimeoutError("the handshake only trickles")
            self._take_in()
        self._flush()

    def _has_shaken_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def _flush(self) -> None:
        if self._leaving.pending:
            self._socket.sendall(self._leaving.read())

    def _take_in(self) -> bool:
        sealed = self._socket.recv(_READ_BYTES)
        if sealed:
            self._arrived.write(sealed)
        else:
            self._arrived.write_eof()
        return bool(sealed)

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]
            self._flush()

    def receive(self) -> bytes:
        while True:
            opened, is_ended = self._opened()
            self._flush()  # a key update is answered
            if opened or is_ended:
                return opened
            self._take_in()

    def _opened(self) -> tuple[bytes, bool]:
        """Everything that can be decrypted now, and whether the other side has ended."""
        parts: list[bytes] = []
        while True:
            try:
                part = self._tls.read(_READ_BYTES)
            except ssl.SSLWantReadError:
                return b"".join(parts), False
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                part = b""
            if not part:
                return b"".join(parts), True
            parts.append(part)


def _verifying() -> ssl.SSLContext:
    # The machine's own certificates, for a proxy inside a company; certifi's, where the machine has none.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class ChatPool:
    """The connections of one process to its chat upstreams."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._idle: dict[Origin, list[tuple[float, Channel]]] = {}
        self._lock = threading.Lock()

    def take(self, origin: Origin) -> Channel | None:
        """A kept connection that can still be used; the one used last."""
        while (kept := self._pop(origin)) is not None:
            since, channel = kept
            if clock.monotonic() - since <= self._idle_seconds and channel.is_quiet():
                return channel
            channel.close()
        return None

    def _pop(self, origin: Origin) -> tuple[float, Channel] | None:
        with self._lock:
            waiting = self._idle.get(origin)
            return waiting.pop() if waiting else None

    def open(self, origin: Origin, seconds: float) -> Channel:
        """A new connection. Raises: OSError."""
        connection = socket.create_connection((origin.host, origin.port), timeout=seconds)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return (
                TlsChannel(connection, self._context(), origin.host, seconds) if origin.is_tls else Channel(connection)
            )
        except BaseException:
            connection.close()
            raise

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = _verifying()
        return self._tls

    def keep(self, origin: Origin, channel: Channel) -> None:
        """Give a connection back whose answer was read to its end."""
        now = clock.monotonic()
        with self._lock:
            waiting = self._idle.setdefault(origin, [])
            waiting.append((now, channel))
            stale = sum(1 for since, _ in waiting if now - since > self._idle_seconds)  # they stand in front
            superfluous = [waiting.pop(0) for _ in range(max(stale, len(waiting) - _IDLE_MAX))]
        for _, old in superfluous:
            old.close()

    def close(self) -> None:
        with self._lock:
            waiting, self._idle = self._idle, {}
        for channels in waiting.values():
            for _, channel in channels:
                channel.close()
