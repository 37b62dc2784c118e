"""Credits in a browser: a double click spends once, the pill follows here and in other tabs; without JavaScript too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor

Visit = Callable[..., Visitor]
COUNT = "text=Count for 1 credit"


def test_a_double_click_spends_once_and_the_pill_follows(visit: Visit) -> None:
    alice = visit()
    alice.register("alice-credits")
    page = alice.open("/example-ai")
    expect(page.locator("#balance_pill")).to_contain_text("1,000 credits")

    page.dblclick(COUNT)

    expect(page.locator("#balance_pill")).to_contain_text("999 credits")
    expect(page.locator("#feature .callout")).to_contain_text("Spent 1 credit")
    alice.open("/credits")
    assert alice.page.locator("#ledger tbody tr").count() == 2


def test_another_tab_learns_of_it_when_it_is_looked_at_again(visit: Visit) -> None:
    alice = visit()
    alice.register("alice-tabs")
    alice.open("/credits")
    other = alice.tab()
    other.goto(f"{alice.site}/example-ai")
    other.click(COUNT)
    expect(other.locator("#balance_pill")).to_contain_text("999 credits")

    alice.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(alice.page.locator("#balance_pill")).to_contain_text("999 credits")


def test_an_open_tab_asks_every_half_minute(visit: Visit) -> None:
    alice = visit()
    alice.register("alice-waits")
    alice.page.clock.install()
    page = alice.open("/credits")
    with page.expect_response("**/credits/pill?seen=1000000000") as asked:
        page.clock.fast_forward(31_000)

    assert asked.value.status == 204


def test_a_hidden_tab_asks_nothing(visit: Visit) -> None:
    alice = visit()
    alice.register("alice-hidden")
    page, asked = alice.open("/credits"), []
    page.on("request", lambda request: asked.append(request.url))

    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    page.evaluate("document.querySelector('#balance_pill').dispatchEvent(new Event('shown'))")
    page.wait_for_timeout(300)

    assert [url for url in asked if "pill" in url] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone_and_work_without_javascript(visit: Visit, scheme: str) -> None:
    phone = visit(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    phone.register(f"phone-{scheme}")
    for path in ("/credits", "/example-ai"):
        phone.open(path)
        assert phone.overflow() <= 0, path
    plain = visit(java_script_enabled=False, color_scheme=scheme)
    plain.register(f"plain-{scheme}")
    plain.open("/example-ai").click(COUNT)
    expect(plain.page.locator("#balance_pill")).to_contain_text("999 credits")
    plain.open("/credits").fill("#threshold", "100")
    plain.page.click("text=Save the line")
    expect(plain.page.locator("#threshold")).to_have_value("100")
