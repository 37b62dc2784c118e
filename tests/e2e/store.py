"""The sandbox as the providers of the product under test, and what a buyer's pages say."""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor

_LOOK = """async ([path, words, deadline]) => {
  while (performance.now() < deadline) {
    const text = await (await fetch(path)).text();
    if (text.replaceAll("\\u00a0", " ").includes(words)) return true;
    await new Promise((resume) => setTimeout(resume, 200));
  }
  return false;
}"""
_PATIENCE_MS = 20_000


@dataclass(frozen=True, slots=True)
class Store:
    """What only Stripe, Paystack, a bank, a phone or time can do."""

    sandbox_url: str

    def open(self, site: str) -> Store:
        """Lead both providers' webhooks to the site."""
        for provider in ("stripe", "paystack"):
            plain = {"mode": "auto", "copies": 1, "order": "created", "lose": 0}
            self.control("webhooks", provider=provider, url=f"{site}/api/webhooks/{provider}", **plain)
        return self

    def control(self, path: str, **told: Any) -> Any:
        body, headers = json.dumps(told).encode(), {"Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.sandbox_url}/_control/{path}", body, headers)  # noqa: S310 - loopback
        with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310 - loopback
            return json.load(answer)


def await_on(page: Page, path: str, words: str) -> None:
    """Until a page of ours says so: a webhook travels and a worker takes it; how long that takes is not ours to say."""
    deadline = page.evaluate("performance.now()") + _PATIENCE_MS
    assert page.evaluate(_LOOK, [path, words, deadline]), f"{path} never said: {words}"


def balance(buyer: Visitor, words: str) -> None:
    """What the pill says on a page that is drawn now; the ledger's first line ends with the same."""
    page = buyer.open("/credits")
    expect(page.locator("#balance_pill")).to_contain_text(f"{words} credits")
    expect(page.locator("#ledger tbody tr").first).to_contain_text(words)


def ledger(buyer: Visitor) -> list[str]:
    """The amounts of the ledger, the newest first."""
    buyer.open("/credits")
    return buyer.page.locator("#ledger tbody td:nth-child(3) span").all_inner_texts()


def pay_at_stripe(page: Page) -> str:
    """Press *Pay* on Stripe's page; the payment's own path, to which it leads."""
    page.wait_for_url("**/stripe/pay/**")
    page.click("button[value=pay]")
    page.wait_for_url("**/credits/payments/**")
    found = re.search(r"/credits/payments/[0-9a-f-]{36}", page.url)
    assert found is not None
    return found[0]


def payment_intent(buyer: Visitor, payment: str) -> str:
    """The money's number at Stripe, as the receipt prints it."""
    page = buyer.open(f"{payment}/receipt")
    return page.locator("dd:has-text('Stripe') code").inner_text()


def orders(buyer: Visitor) -> int:
    """How many orders the payments' tab lists."""
    return buyer.open("/credits?tab=payments").locator("#history tbody tr").count()
