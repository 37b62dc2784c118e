"""Delivers the payment providers' webhooks, signed, with retries and every kind of disorder to order.

Laws: a delivery is a row before it is a request, so that a restart loses none; the bytes are fixed when the event
happens and signed anew at every attempt, as the providers do; an answer other than 2xx, a redirect included, is a
failure. Waits are real seconds and much shorter than the providers' own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import requests

from tokenboard.core import clock
from tokenboard.sandbox.store import Store

_TIMEOUT_SECONDS = 10.0
_NAP_SECONDS = 0.5
_SHUFFLE_SECONDS = 0.3  # shuffled deliveries wait so long for others to be mixed with
PROVIDERS = ("stripe", "paystack")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider's events go, and how badly."""

    url: str = ""
    secrets: tuple[str, ...] = ()
    mode: str = "auto"  # auto: sent at once by the postman; held: only when the control API says so
    copies: int = 1
    order: str = "created"  # created, reversed or shuffled
    delay_seconds: float = 0.0
    is_early: bool = False  # sent before the API call that caused it is answered
    lose: int = 0  # so many of the next events are never sent
    retry_seconds: tuple[float, ...] = (2, 5, 15, 60, 300)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    number: int
    provider: str
    event_id: str
    type: str
    body: str
    state: str  # waiting, held, sent, lost, failed
    due_at: float
    attempts: int
    last_status: int | None


_COLUMNS = "number, provider, event_id, type, body, state, due_at, attempts, last_status"


class Postman:
    """The sandbox's deliveries and the thread that makes them."""

    def __init__(self, store: Store, stopping: threading.Event, defaults: dict[str, Endpoint]) -> None:
        self._store = store
        self._stopping = stopping
        self._defaults = defaults
        self._rung = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def endpoint(self, provider: str) -> Endpoint:
        told = self._store.setting(f"webhooks|{provider}")
        if told is None:
            return self._defaults[provider]
        facts = json.loads(told)
        facts["secrets"], facts["retry_seconds"] = tuple(facts["secrets"]), tuple(facts["retry_seconds"])
        return Endpoint(**facts)

    def direct(self, provider: str, endpoint: Endpoint) -> None:
        """Send this provider's events so from now on."""
        self._store.set(f"webhooks|{provider}", json.dumps(asdict(endpoint)))

    def take(self, provider: str, event_id: str, kind: str, body: str) -> None:
        """Accept an event for delivery; without an address it only exists in the provider's list."""
        endpoint = self.endpoint(provider)
        if not endpoint.url:
            return
        state = "held" if endpoint.mode == "held" else "waiting"
        if endpoint.lose > 0:
            self.direct(provider, replace(endpoint, lose=endpoint.lose - 1))
            state = "lost"
        wait = endpoint.delay_seconds + (_SHUFFLE_SECONDS if endpoint.order == "shuffled" else 0)
        due_at = clock.now().timestamp() + wait
        with self._store.opened() as db:
            db.executemany(
                "INSERT INTO delivery (provider, event_id, type, body, state, due_at, attempts)"
                " VALUES (?, ?, ?, ?, ?, ?, 0)",
                [(provider, event_id, kind, body, state, due_at)] * max(1, endpoint.copies),
            )

    def ring(self) -> None:
        """Let waiting deliveries go out."""
        with self._starting:
            if self._thread is None and self._first_due() is not None:
                self._thread = threading.Thread(target=self._work, name="sandbox-postman", daemon=True)
                self._thread.start()
        self._rung.set()

    def resend(self, provider: str, event_id: str, kind: str, body: str) -> None:
        """Send an old event again, as a press of the provider's *Resend* does."""
        with self._store.opened() as db:
            db.execute(
                "INSERT INTO delivery (provider, event_id, type, body, state, due_at, attempts)"
                " VALUES (?, ?, ?, ?, 'held', 0, 0)",
                (provider, event_id, kind, body),
            )

    def deliveries(self, provider: str | None = None) -> list[Delivery]:
        with self._store.opened() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM delivery WHERE provider = ? OR ? IS NULL ORDER BY number",  # noqa: S608
                (provider, provider),
            ).fetchall()
        return [Delivery(*row) for row in rows]

    def undelivered(self, event_id: str) -> int:
        """How many deliveries of an event have not arrived."""
        with self._store.opened() as db:
            row = db.execute(
                "SELECT count(*) FROM delivery WHERE event_id = ? AND state <> 'sent'", (event_id,)
            ).fetchone()
        return int(row[0])

    def deliver_now(
        self,
        provider: str | None,
        *,
        order: str | None = None,
        seed: int = 0,
        event_ids: Sequence[str] | None = None,
        include_lost: bool = False,
    ) -> list[Delivery]:
        """Send everything that has not arrived, now and in this thread, each once, in the order asked for."""
        states = {"held", "waiting", "failed"} | ({"lost"} if include_lost else set())
        found = [one for one in self.deliveries(provider) if one.state in states]
        if event_ids is not None:
            found = [one for one in found if one.event_id in event_ids]
        return [self._send(one) for one in _ordered(found, order or "created", random.Random(seed))]

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                self._rung.clear()
                first = self._first_due()
                now = clock.now().timestamp()
                if first is None or first.due_at > now:
                    self._rung.wait(_NAP_SECONDS if first is None else min(_NAP_SECONDS, first.due_at - now))
                    continue
                self._send(first)
        except sqlite3.Error:
            return  # the sandbox's file went away, and with it everything to deliver

    def _first_due(self) -> Delivery | None:
        with self._store.opened() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM delivery WHERE state = 'waiting' ORDER BY due_at, number LIMIT 50"  # noqa: S608
            ).fetchall()
        found = [Delivery(*row) for row in rows]
        now = clock.now().timestamp()
        due = [one for one in found if one.due_at <= now] or found[:1]
        if not due:
            return None
        return _ordered(due, self.endpoint(due[0].provider).order, random.Random(due[0].number))[0]

    def _send(self, delivery: Delivery) -> Delivery:
        endpoint = self.endpoint(delivery.provider)
        status = _posted(endpoint.url, delivery.body.encode(), SIGNERS[delivery.provider], endpoint.secrets)
        attempts = delivery.attempts + 1
        state, due_at = "sent", delivery.due_at
        if status is None or not 200 <= status <= 299:
            is_last = attempts > len(endpoint.retry_seconds)
            state = "failed" if is_last else ("held" if endpoint.mode == "held" else "waiting")
            due_at = clock.now().timestamp() + (0 if is_last else endpoint.retry_seconds[attempts - 1])
        with self._store.opened() as db:
            # A copy sent meanwhile from another thread stays sent.
            db.execute(
                "UPDATE delivery SET state = CASE state WHEN 'sent' THEN state ELSE ? END, due_at = ?, attempts = ?,"
                " last_status = ? WHERE number = ?",
                (state, due_at, attempts, status, delivery.number),
            )
        return replace(delivery, state=state, due_at=due_at, attempts=attempts, last_status=status)


def _ordered(found: list[Delivery], order: str, dice: random.Random) -> list[Delivery]:
    if order == "reversed":
        return found[::-1]
    if order == "shuffled":
        return dice.sample(found, len(found))
    return found


Signer = Callable[[bytes, Sequence[str]], dict[str, str]]


def stripe_headers(body: bytes, secrets: Sequence[str], at: int | None = None) -> dict[str, str]:
    """Stripe's signature: one `v1` for each secret in force, dated by the real clock."""
    moment = int(clock.now().timestamp()) if at is None else at
    signed = f"{moment}.".encode() + body
    marks = [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return {"Stripe-Signature": ",".join([f"t={moment}", *marks])}


def paystack_headers(body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Paystack's signature: the body under the secret key, without a time."""
    return {"x-paystack-signature": hmac.new(secrets[0].encode(), body, hashlib.sha512).hexdigest()}


SIGNERS: dict[str, Signer] = {"stripe": stripe_headers, "paystack": paystack_headers}


def _posted(url: str, body: bytes, sign: Signer, secrets: Sequence[str]) -> int | None:
    headers: dict[str, Any] = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Sandbox-Webhooks/1.0"}
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                url, data=body, headers=headers | sign(body, secrets), timeout=_TIMEOUT_SECONDS, allow_redirects=False
            )
            return answer.status_code
    except requests.RequestException:
        return None
