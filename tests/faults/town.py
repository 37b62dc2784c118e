"""The whole town over real HTTP: the house as gunicorn serves it, a real worker, the sandbox as both providers."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from flask import Flask

from tests.billing.market import PACK, Market
from tests.people import People
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import PaymentGrant
from tokenboard.core.db import db

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90  # a start takes two on an idle machine, and twenty times that on a crowded one
NOWHERE = "redis://127.0.0.1:1/0"
SWEEP, RECONCILE = "billing.sweep", "billing.reconcile"


def until(is_so: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)


def free_port() -> int:
    """A port below those that the system hands out by itself, so that nobody else gets it meanwhile."""
    while True:
        port = random.randint(21_000, 31_900)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Town(Market):
    """Alice buys over HTTP; web and worker are processes that can be killed.

    The sandbox is the session's: what other tests left undelivered arrives when the doors open, and does not count.
    """

    folder: Path = Path()
    redis_url: str = ""
    left_behind: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def _order(self) -> Path:
        return self.folder / "order"

    def _start(self, *words: str, **environ: str) -> subprocess.Popen[bytes]:
        settings = self.app.extensions["settings"]
        own = {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": self.redis_url,
            "BASE_URL": settings.base_url,  # tokens name it
            "SANDBOX_URL": self.sandbox_url,
            "BCRYPT_COST": "4",
            "LOG_LEVEL": "WARNING",
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
        }
        said = (self.folder / "processes.log").open("ab")
        with said:
            started = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=own | environ, start_new_session=True, stdout=said, stderr=said
            )
        self.processes.append(started)
        return started

    def open_doors(self) -> None:
        """The web process, with the product's own gunicorn.conf.py."""
        port = free_port()
        self.house_url = f"http://127.0.0.1:{port}"
        made = f"tests.faults.web:application({str(self._instance)!r}, {str(self._order)!r})"
        self._start("-m", "gunicorn", made, "-c", "gunicorn.conf.py", PORT=str(port), WEB_CONCURRENCY="1")
        until(self.answers, "the web process answers")
        self.open()
        self.left_behind = self.events

    @property
    def _instance(self) -> Path:
        return Path(self.app.extensions["settings"].instance_path)

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.house_url}/healthz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def hire(self, *periodic: str) -> subprocess.Popen[bytes]:
        """A worker with these periodic jobs."""
        return self._start("-m", "tests.faults.work", str(self._instance), str(self._order), *periodic)

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def order_end(self, point: str) -> None:
        """The next process that gets there ends."""
        self._order.write_text(point, encoding="utf-8")

    def has_ended(self) -> bool:
        return not self._order.exists()

    def post(self, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.alice.token}"}
        answer = requests.post(f"{self.house_url}{path}", json=body, headers=headers, timeout=20)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def buy(self) -> str:
        """A pack, ordered and paid at the provider; its webhooks wait."""
        reference = str(self.post("/api/billing/checkout", packageId=PACK)["reference"])
        self.control("stripe/sessions", id=str(self.payment(reference).object_id))
        return reference

    def knock(self, kind: str = "checkout.session.completed") -> tuple[int | None, float]:
        """The provider sends this event once more: what it heard, and after how many seconds."""
        listed = requests.get(f"{self.sandbox_url}/_control/webhooks?provider=stripe", timeout=10).json()
        newest = [one["event_id"] for one in listed["deliveries"] if one["type"] == kind][-1]
        begun = time.monotonic()
        told = self.control("webhooks/deliver", provider="stripe", event_ids=[newest])["deliveries"]
        if not told:
            self.control("webhooks/resend", provider="stripe", event_id=newest)
            told = self.control("webhooks/deliver", provider="stripe", event_ids=[newest])["deliveries"]
        return told[-1]["last_status"], time.monotonic() - begun

    def look(self, reference: str) -> int:
        """Alice presses *Check now* on the payment's page."""
        browser = self.people.browser(self.people.alice)
        cookie = browser.client.get_cookie(self.app.config["SESSION_COOKIE_NAME"])
        assert cookie is not None
        answer = requests.post(
            f"{self.house_url}/credits/payments/{reference}/check",
            headers={"X-CSRFToken": browser.csrf_token, "Cookie": f"{cookie.key}={cookie.value}"},
            timeout=20,
            allow_redirects=False,
        )
        return answer.status_code

    @property
    def events(self) -> int:
        """How many of the events that grant are stored."""
        wanted = db.select(db.func.count()).where(InboxEvent.type == "checkout.session.completed")
        return self._count(wanted) - self.left_behind

    @property
    def waiting(self) -> int:
        """Events that are stored and not handled yet."""
        return self._count(db.select(db.func.count()).where(InboxEvent.state.in_(("new", "retry"))))

    @property
    def grants(self) -> int:
        return self._count(db.select(db.func.count()).select_from(PaymentGrant))

    def _count(self, wanted: Any) -> int:
        with self.app.app_context():
            found = int(db.session.scalar(wanted) or 0)
            db.session.rollback()
            return found


@contextlib.contextmanager
def town(app: Flask, people: People, sandbox_url: str, folder: Path, redis_url: str) -> Iterator[Town]:
    """A town whose doors are open; everything in it ends with the block."""
    made = Town(app, people, sandbox_url, "", folder=folder, redis_url=redis_url)
    try:
        made.open_doors()
        yield made
    finally:
        made.close()
