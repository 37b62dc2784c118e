"""The whole way: our JSON doors, the sandbox's Stripe and Paystack over HTTP, webhooks back to us over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from flask import Flask

from tests.people import Bearer, People
from tokenboard.billing import tasks
from tokenboard.billing.models import Payment
from tokenboard.core.db import db
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.ledger import invariants, queries as ledger
from tokenboard.workspaces.models import Workspace

PACK = "price_SbxPack100"
PLAN = "price_SbxProMonth"


@dataclass
class Market:
    """Alice as a buyer, the sandbox as both providers. Webhooks wait until `deliver`."""

    app: Flask
    people: People
    sandbox_url: str
    house_url: str
    start_micros: int = 0

    def open(self) -> Market:
        """Ready to buy in."""
        self.point_webhooks()
        self.take_catalogue()
        self.count_from_here()
        return self

    def point_webhooks(self) -> None:
        """Fresh endpoints; what tests before left behind is not ours."""
        for provider in ("stripe", "paystack"):
            url = f"{self.house_url}/api/webhooks/{provider}"
            self.control("webhooks", provider=provider, url=url, mode="held", copies=1, order="created", lose=0)
        self.control("webhooks/deliver")

    def take_catalogue(self) -> None:
        with self.app.app_context():
            tasks.sync_catalogue()

    def count_from_here(self) -> None:
        """What Alice has got so far is not of this test."""
        with self.app.app_context():
            self.start_micros = ledger.balance(self._wallet).posted_micros

    @property
    def alice(self) -> Bearer:
        return self.people.bearer(self.people.alice)

    @property
    def _wallet(self) -> str:
        return db.session.get_one(Workspace, self.people.alice.workspace_id).ledger_account_id

    def control(self, path: str, /, **told: Any) -> Any:
        answer = requests.post(f"{self.sandbox_url}/_control/{path}", json=told, timeout=20)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def deliver(self, **how: Any) -> None:
        """Everything that waits arrives, is stored, and is handled by the sweeper."""
        self.control("webhooks/deliver", **how)
        self.sweep()

    def sweep(self) -> None:
        with self.app.app_context():
            tasks.sweep()

    @property
    def credits(self) -> int | float:
        with self.app.app_context():
            found = ledger.balance(self._wallet).posted_micros - self.start_micros
            assert invariants.check() == []
        return found / MICROS_PER_CREDIT if found % MICROS_PER_CREDIT else found // MICROS_PER_CREDIT

    def payment(self, reference: str) -> Payment:
        with self.app.app_context():
            return db.session.get_one(Payment, reference)

    def post(self, path: str, **body: Any) -> Any:
        """Alice asks; the answer when it is a good one."""
        answer = self.alice.post(path, json=body)
        assert answer.status_code < 300, answer.json
        return answer.json
