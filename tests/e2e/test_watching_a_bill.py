"""The product's first job: a team lead connects OpenAI, and within a minute sees what it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor

Visit = Callable[..., Visitor]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
EVERY_PAGE = (
    *("/dashboard", "/settings/connections", "/settings/budgets", "/settings/notifications"),
    *("/settings/general", "/settings/workspace", "/account"),
)


def test_from_registration_to_the_first_chart(visit: Visit) -> None:
    alice = visit()
    alice.register("alice-first")
    page = alice.open("/settings/connections")
    page.fill("[name=api_key]", "sk-admin-sandbox")
    page.locator("form:has([name=api_key]) button[type=submit]").first.click()
    page.wait_for_load_state()
    page = alice.open("/dashboard")
    expect(page.locator("main figure svg, main svg.chart").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Spent this month").first).to_be_visible()
    assert alice.overflow() <= 0


def test_a_refused_key_says_which_key_is_needed(visit: Visit) -> None:
    alice = visit()
    alice.register("alice-refused")
    page = alice.open("/settings/connections")
    page.fill("[name=api_key]", "sk-proj-sandbox")
    page.locator("form:has([name=api_key]) button[type=submit]").first.click()
    expect(page.get_by_role("alert").first).to_contain_text("Make an admin key")
    alice.complaints = [said for said in alice.complaints if "422" not in said]  # Chromium logs the refusal itself


def test_the_demo_fills_the_dashboard_and_is_put_away_in_one_click(visit: Visit) -> None:
    alice = visit()
    alice.register("alice-demo")
    alice.page.locator("form[action='/demo'] button").first.click()
    expect(alice.page.locator("main figure svg, main svg.chart").first).to_be_visible(timeout=30_000)
    alice.page.locator("form[action='/demo/remove'] button").first.click()
    alice.page.wait_for_load_state()
    assert "Northwind" not in alice.page.locator("main").inner_text()


def test_everything_works_with_javascript_off(visit: Visit) -> None:
    bob = visit(java_script_enabled=False)
    bob.register("bob-plain")
    bob.page.locator("form[action='/demo'] button").first.click()
    bob.open("/dashboard?by=model&days=30")
    assert bob.page.locator("main table").count() > 0
    for path in EVERY_PAGE:
        answer = bob.page.goto(bob.site + path)
        assert answer is not None
        assert answer.ok, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_no_page_overflows_or_complains(visit: Visit, scheme: str, device: dict[str, Any]) -> None:
    carol = visit(color_scheme=scheme, **device)
    carol.register(f"carol-{scheme}-{'phone' if device else 'desktop'}")
    carol.page.locator("form[action='/demo'] button").first.click()
    for path in EVERY_PAGE:
        carol.open(path)
        assert carol.overflow() <= 0, path


def test_a_second_tab_that_was_signed_out_is_led_to_the_sign_in(visit: Visit) -> None:
    alice = visit()
    alice.register("alice-tabs")
    other = alice.tab()
    other.goto(alice.site + "/settings/general")
    alice.page.locator("summary", has_text="alice-tabs").click()
    alice.page.locator("form[action='/logout'] button").first.click()
    alice.page.wait_for_load_state()
    other.reload()
    assert "/login" in other.url


def test_a_strangers_page_is_not_found(visit: Visit) -> None:
    alice, charlie = visit(), visit()
    alice.register("alice-owner")
    charlie.register("charlie-stranger")
    mine = alice.page.request.get(f"{alice.site}/api/workspaces").json()["workspaces"][0]["id"]
    theirs = charlie.page.request.get(f"{charlie.site}/api/summary?workspaceId={mine}&month=2026-11")
    assert theirs.status == 404


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_the_longest_names_stay_inside_their_places(visit: Visit, options: dict[str, Any]) -> None:
    alice = visit(**options)
    alice.register("alice-long-phone" if options else "alice-long")
    page = alice.open("/settings/workspace")
    page.fill("#workspace_name_field", "W" * 80)
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("The workspace has its new name.")).to_be_visible()
    for path in (*EVERY_PAGE, "/credits"):
        alice.open(path)
        assert alice.overflow() <= 0, path
    outside = "e => e.right > document.querySelector('#sidebar').getBoundingClientRect().right + 1"
    boxes = "[...document.querySelectorAll('#sidebar *')].map(e => e.getBoundingClientRect())"
    assert page.evaluate(f"{boxes}.filter({outside}).length") == 0
