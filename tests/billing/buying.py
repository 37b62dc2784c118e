"""What the tests of the buyers' pages share: Alice at /credits, what its form holds, and how she pays."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import requests
from werkzeug.test import TestResponse

from tests.billing.market import Market
from tests.people import Browser, Someone
from tokenboard.billing.models import Payment
from tokenboard.core.db import db

PAGE, BUY = "/credits", "/credits/buy"


def plain(html: str) -> str:
    """What is read: no tags, plain spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\xa0", " ").split())


@dataclass
class Buyer:
    """Somebody at a browser who buys for themselves, or for the team."""

    market: Market
    someone: Someone
    workspace_id: str = ""
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.market.people.browser(self.someone)
        self.workspace_id = self.workspace_id or self.someone.workspace_id

    def open(self, query: str = "") -> str:
        answer = self.browser.get(f"{PAGE}?workspace_id={self.workspace_id}&{query}")
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    def form(self, query: str = "", **changed: Any) -> dict[str, Any]:
        """The basket's form as it is drawn, with what is chosen on top."""
        page = self.open(query)
        chosen = re.search(r'name="pack" value="([^"]+)" checked', page)
        hidden = {name: _hidden(page, name) for name in ("key", "currency", "total")}
        method = re.search(r'name="method" value="([^"]+)" checked', page)
        assert method is not None
        basket = {"pack": chosen[1] if chosen else "custom", "method": method[1], "workspace_id": self.workspace_id}
        return hidden | basket | changed

    def tile(self, query: str, title: str) -> str:
        """What a pack's tile holds."""
        found = re.search(
            rf'name="pack" value="([^"]+)"[^>]*>\s*<span[^>]*><b>{title}', self.open(query).replace("\xa0", " ")
        )
        assert found is not None, title
        return found[1]

    def press(self, form: dict[str, Any]) -> TestResponse:
        return self.browser.post(BUY, form)

    def buy(self, query: str = "", **changed: Any) -> TestResponse:
        return self.press(self.form(query, **changed))

    def orders(self) -> list[Payment]:
        with self.market.app.app_context():
            mine = Payment.workspace_id == self.workspace_id
            return list(db.session.scalars(db.select(Payment).where(mine).order_by(Payment.created_at)))

    def order_fault(self, path: str) -> None:
        """The provider refuses the next call whose path begins so."""
        told = {"path": path, "fault": "revoked", "times": 1}
        assert requests.post(f"{self.market.sandbox_url}/_control/faults", json=told, timeout=20).status_code == 200

    def pay(self, order: Payment, **how: Any) -> None:
        """Pay by card at Stripe; the webhook arrives."""
        self.market.control("stripe/sessions", id=str(self.market.payment(order.id).object_id), **how)
        self.market.deliver()


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]
