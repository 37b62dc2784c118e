"""Between processes: "this answer has news", "stop it", over Redis. Only bells: what is true stands in the database.

Laws: one connection of its own per process listens, one publishes, both in threads of the hub, so that a Redis that
hangs stops no answer; news is published only for answers that somebody in another process has asked for; without Redis
`is_up` is False, and whoever waits here looks into the database oftener.
redis-py's read time-out is 5 s unless it is told otherwise (reference "Runtime", 1): here every wait says its own.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tokenboard.core import clock
from tokenboard.metering.bell import Bell

log = logging.getLogger(__name__)

CHANNEL = "tokenboard:answers"
WANT, NEWS, STOP = "want", "news", "stop"
# Who listens from afar says so this often, and is forgotten after two times of silence.
WANT_EVERY_SECONDS = 10.0
_WANTED_SECONDS = 2 * WANT_EVERY_SECONDS
_LISTEN_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 5.0
_MOST_WAITING = 4_096  # bells to publish; older ones are dropped, the database says the same


class Hub:
    """One a process. `on_stop` is called, in the hub's thread, with the id of a call that is to stop."""

    def __init__(self, url: str, on_stop: Callable[[str], object]) -> None:
        self.is_up = False
        self._url = url
        self._on_stop = on_stop
        self._wanted: dict[str, float] = {}  # calls of this process that others listen to, and until when
        self._bells: dict[str, list[Bell]] = {}  # calls of other processes that are listened to here
        self._outbox: deque[str] = deque(maxlen=_MOST_WAITING)
        self._outbox_bell = Bell()
        self._lock = threading.Lock()
        self._is_started = False

    def start(self) -> None:
        """Listen from now on. Costs nothing when it does already, or when there is no Redis."""
        with self._lock:
            if self._is_started or not self._url:
                return
            self._is_started = True
        for task in (self._listen_always, self._publish_always):
            threading.Thread(target=task, name="hub", daemon=True).start()

    def news(self, call_id: str) -> None:
        """Tell other processes, if one of them has asked."""
        if self._wanted and self._wanted.get(call_id, 0.0) > clock.monotonic():
            self._send(NEWS, call_id)

    def ended(self, call_id: str) -> None:
        """The last news of a call."""
        self.news(call_id)
        self._wanted.pop(call_id, None)

    def stop(self, call_id: str) -> None:
        """Ask whichever process runs it."""
        self.start()
        self._send(STOP, call_id)

    @contextlib.contextmanager
    def listening(self, call_id: str) -> Iterator[RemoteBell]:
        """A bell that rings when another process has news of a call."""
        self.start()
        bell = Bell()
        with self._lock:
            self._bells.setdefault(call_id, []).append(bell)
        try:
            yield RemoteBell(self, call_id, bell)
        finally:
            with self._lock:
                self._bells[call_id].remove(bell)
                if not self._bells[call_id]:
                    del self._bells[call_id]

    def want(self, call_id: str) -> None:
        """Say that this process would hear of a call."""
        self._send(WANT, call_id)

    def _send(self, kind: str, call_id: str) -> None:
        if self._url:
            self._outbox.append(f"{kind} {call_id}")
            self._outbox_bell.ring()

    def _hear(self, message: str) -> None:
        kind, _, call_id = message.partition(" ")
        if kind == WANT:
            now = clock.monotonic()
            self._wanted = {known: until for known, until in self._wanted.items() if until > now}
            self._wanted[call_id] = now + _WANTED_SECONDS
        elif kind == STOP:
            self._on_stop(call_id)
        else:
            with self._lock:
                bells = list(self._bells.get(call_id, ()))
            for bell in bells:
                bell.ring()

    def _listen_always(self) -> None:
        pause = 0.2
        while True:
            try:
                self._listen()
            except (redis.exceptions.RedisError, OSError) as error:
                pause = 0.2 if self.is_up else min(pause * 2, _LONGEST_PAUSE_SECONDS)
                self.is_up = False
                log.info("hub_waits_for_redis", extra={"error": type(error).__name__})
            Bell().wait(pause)

    def _listen(self) -> None:
        """Raises: RedisError when the connection ends."""
        line = self._client(read_seconds=2 * _LISTEN_SECONDS)
        with contextlib.closing(line), _subscription(line) as subscription:
            subscription.subscribe(CHANNEL)
            asked_at = clock.monotonic()
            self.is_up = True
            while True:
                message = subscription.get_message(timeout=_LISTEN_SECONDS)
                if message is not None and isinstance(message.get("data"), bytes):
                    self._hear(message["data"].decode("ascii", "replace"))
                elif clock.monotonic() - asked_at > _LISTEN_SECONDS:
                    subscription.ping()  # a dead peer is found out, a live one answers
                    asked_at = clock.monotonic()

    def _publish_always(self) -> None:
        line = self._client(read_seconds=0.5)
        while True:
            self._outbox_bell.wait(60.0)
            while self._outbox:
                message = self._outbox.popleft()
                try:
                    line.publish(CHANNEL, message)
                except (redis.exceptions.RedisError, OSError) as error:
                    self._outbox.clear()
                    log.info("hub_not_heard", extra={"error": type(error).__name__})

    def _client(self, *, read_seconds: float) -> redis.Redis:
        return redis.Redis.from_url(
            self._url, retry=Retry(NoBackoff(), 0), socket_timeout=read_seconds, socket_connect_timeout=0.5
        )


def _subscription(line: redis.Redis) -> Any:
    return line.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]


class RemoteBell:
    """Waits for news of one call from another process."""

    # With Redis a look now and then, in case a bell was lost; without it the only way to notice.
    UP_SECONDS, DOWN_SECONDS = 2.0, 0.5

    def __init__(self, hub: Hub, call_id: str, bell: Bell) -> None:
        self._hub = hub
        self._call_id = call_id
        self._bell = bell
        self._wanted_at: float | None = None

    def wait(self) -> None:
        """Until there may be something new."""
        instant = clock.monotonic()
        if self._wanted_at is None or instant - self._wanted_at >= WANT_EVERY_SECONDS:
            self._hub.want(self._call_id)
            self._wanted_at = instant
        self._bell.wait(self.UP_SECONDS if self._hub.is_up else self.DOWN_SECONDS)
