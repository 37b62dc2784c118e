"""Usage in a browser: a request made in chat stands there, its receipt opens in place, each view is an address."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.test_control_room import become_admin

Visit = Callable[..., Visitor]
expect.set_options(timeout=20_000)  # two cores, shared with others


def test_what_was_asked_is_seen_with_its_receipt_and_narrowed_by_address(visit: Visit) -> None:
    visitor = visit()
    visitor.register("uses")
    page = visitor.open("/chat")
    page.select_option("#model", "sandbox-swift")
    page.fill("#composer_message", "Group dates by month")
    page.press("#composer_message", "Enter")
    expect(page.locator(".answer-meta")).to_contain_text("credits")

    page = visitor.open("/usage")
    expect(page.locator(".kpis")).to_contain_text("Requests")
    page.locator("#usage_log").get_by_role("link", name="Receipt").first.click()
    expect(page.locator(".receipt-row").first).to_contain_text("Provider's price")
    expect(page).to_have_url(re.compile(r"/usage$"))

    page.get_by_role("link", name="Source", exact=True).click()
    expect(page.locator("#breakdown_title")).to_have_text("By source")
    expect(page).to_have_url(re.compile(r"by=source"))
    page.select_option("#usage_log [name=status]", "failed")
    expect(page.locator("#usage_log")).to_contain_text("No such request")
    expect(page).to_have_url(re.compile(r"status=failed"))
    page.reload()
    expect(page.locator("#usage_log")).to_contain_text("No such request")


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Visit, site_environ: dict[str, str]) -> None:
    ada = visit(viewport={"width": 390, "height": 844})
    become_admin(ada, site_environ, "ada-books")
    for path in ("/usage", "/usage?by=key&days=90", "/admin/books/month", "/admin/books/foreign"):
        ada.open(path)
        assert ada.overflow() <= 0, path
