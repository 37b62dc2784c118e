"""One request to a chat upstream and its answer, block by block, with every limit of time and size.

Law: **only a failed connection is tried again**, at most twice. Once a byte of the request may have left, the upstream
may have accepted it and be generating, and billing; a second try would pay twice for one answer. That holds for a kept
connection that broke under the request as well, so such a connection is only used while it is fresh.
Nothing is redirected (a redirect could carry the key elsewhere) and nothing is decompressed.
"""

from __future__ import annotations

import math
import random
import socket
import threading
import time
from dataclasses import dataclass

from tokenboard.core import clock
from tokenboard.providers.chat_errors import ChatBadAnswer, ChatError, ChatTimedOut, ChatUnavailable, StreamCut
from tokenboard.providers.chat_framing import BadFraming, Body, Head, body_of, split_head
from tokenboard.providers.chat_shapes import ChatLimits
from tokenboard.providers.chat_wire import Channel, ChatPool, Origin

_EXACT_SECONDS = 5  # shorter waits are kept to the millisecond
_TAIL_SECONDS = 0.02  # for the last chunk's end after [DONE]: then the connection can be used again


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire."""

    origin: Origin
    head: bytes
    body: bytes = b""


class Interrupted(Exception):
    """`interrupt` was called: this is nobody's fault, so no ChatError."""


class Exchange:
    """A request under way. `interrupt` may come from any thread; everything else from the one that reads."""

    def __init__(self, pool: ChatPool, request: Request, limits: ChatLimits) -> None:
        self._pool = pool
        self._request = request
        self._limits = limits
        self._lock = threading.Lock()
        self._channel: Channel | None = None
        self._is_waiting = False  # somebody is inside a socket call
        self._body: Body | None = None
        self._unread = b""
        self.is_interrupted = False
        self.is_over = False  # the body was read to its end
        self.received_bytes = 0

    def begin(self, until: float) -> Head:
        """Send, and wait for the head of the answer. Raises: ChatError, Interrupted."""
        channel = self._connected()
        with self._lock:
            self._channel = channel
            self._refuse_if_interrupted()
        send_failure = self._sent()
        received = b""
        while (split := self._split(received)) is None:
            block = self._received(until)
            if not block:
                raise ChatUnavailable("the connection ended before an answer") from send_failure
            received += block
            if len(received) > self._limits.head_bytes_max and b"\r\n\r\n" not in received:
                raise ChatBadAnswer("endless headers")
        head, self._unread = split
        self._body = _framed(head)
        self.is_over = self._body.is_over
        return head

    def next_block(self, until: float) -> bytes:
        """What one read brought of the body: perhaps nothing yet; look at `is_over`. Raises: ChatError, Interrupted."""
        assert self._body is not None
        if self.is_over:
            return b""
        block, self._unread = self._unread or self._received(until), b""
        self.received_bytes += len(block)
        if self.received_bytes > self._limits.wire_bytes_max:
            raise ChatBadAnswer("an endless answer")
        try:
            content = self._body.feed(block) if block else b""
            if not block:
                self._body.end()
        except BadFraming as broken:
            raise StreamCut(str(broken)) from broken
        self.is_over = self._body.is_over
        return content

    def whole_body(self, until: float, bytes_max: int) -> bytes:
        """The rest of the body. Raises: ChatError, Interrupted."""
        blocks: list[bytes] = []
        size = 0
        while not self.is_over:
            blocks.append(self.next_block(until))
            size += len(blocks[-1])
            if size > bytes_max:
                raise ChatBadAnswer("the answer is too large")
        return b"".join(blocks)

    def finish(self, head: Head | None, *, is_whole: bool) -> None:
        """Give the connection back when it can be used again, else close it."""
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is None:
            return
        if is_whole and not self.is_interrupted and self._is_reusable(channel, head):
            self._pool.keep(self._request.origin, channel)
        else:
            channel.interrupt()
            channel.close()

    def _is_reusable(self, channel: Channel, head: Head | None) -> bool:
        body = self._body
        if body is None or body.has_leftover or head is None or not head.may_stay_open:
            return False
        try:
            if not body.is_over:
                channel.wait_at_most(_TAIL_SECONDS)
                body.feed(self._unread or channel.receive())
        except (OSError, BadFraming):
            return False
        return body.is_over and not body.has_leftover

    def interrupt(self) -> None:
        """End it now: the upstream sees the connection close. From any thread."""
        with self._lock:
            self.is_interrupted = True
            channel = self._channel
            if channel is None:
                return
            channel.interrupt()
            if not self._is_waiting:  # else whoever waits is woken and closes it
                self._channel = None
                channel.close()

    def _connected(self) -> Channel:
        kept = self._pool.take(self._request.origin)
        if kept is not None:
            return kept
        limits = self._limits
        for attempt in range(1, limits.connect_attempts + 1):
            try:
                return self._pool.open(self._request.origin, limits.connect_seconds)
            except TimeoutError as error:  # the person waited long enough
                raise ChatUnavailable("no connection in time") from error
            except (OSError, UnicodeError) as error:
                if attempt == limits.connect_attempts or self.is_interrupted:
                    why = "no such host" if isinstance(error, socket.gaierror) else "no connection"
                    raise ChatUnavailable(f"{why}: {type(error).__name__}") from error
            time.sleep(limits.backoff_seconds * 2 ** (attempt - 1) * (0.5 + random.random()))  # noqa: S311 - jitter
        raise AssertionError("the last attempt returns or raises")

    def _sent(self) -> OSError | None:
        """What went wrong while sending: the answer may be there all the same (413 comes before the body is read)."""
        channel = self._entered()
        try:
            channel.wait_at_most(self._limits.silence_seconds)
            channel.send(self._request.head + self._request.body)
        except OSError as error:
            return error
        finally:
            self._left()
        return None

    def _received(self, until: float) -> bytes:
        """What has arrived, or nothing at the end of the connection. `until` is on the monotonic clock."""
        seconds = until - clock.monotonic()
        if seconds <= 0:
            raise ChatTimedOut("it only trickles")
        channel = self._entered()
        try:
            # Each change of a time-out is a system call, so a long one is rounded up: it may last a second longer.
            channel.wait_at_most(seconds if seconds < _EXACT_SECONDS else math.ceil(seconds))
            block = channel.receive()
        except TimeoutError as error:
            raise ChatTimedOut("nothing came in time") from error
        except OSError as error:
            if self.is_interrupted:
                raise Interrupted from error
            raise _broken(error, self._body is not None) from error
        finally:
            self._left()
        if not block and self.is_interrupted:
            raise Interrupted
        return block

    def _entered(self) -> Channel:
        with self._lock:
            self._refuse_if_interrupted()
            assert self._channel is not None
            self._is_waiting = True
            return self._channel

    def _left(self) -> None:
        with self._lock:
            self._is_waiting = False
            if self.is_interrupted and self._channel is not None:
                self._channel.close()
                self._channel = None

    def _refuse_if_interrupted(self) -> None:
        if self.is_interrupted:
            if self._channel is not None:
                self._channel.close()
                self._channel = None
            raise Interrupted

    def _split(self, received: bytes) -> tuple[Head, bytes] | None:
        try:
            return split_head(received)
        except BadFraming as error:
            raise ChatBadAnswer(str(error)) from error


def _framed(head: Head) -> Body:
    try:
        return body_of(head)
    except BadFraming as error:
        raise ChatBadAnswer(str(error)) from error


def _broken(error: OSError, has_begun: bool) -> ChatError:
    why = f"the connection broke: {type(error).__name__}"
    return StreamCut(why) if has_begun else ChatUnavailable(why)
