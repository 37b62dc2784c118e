"""The control room in a browser: a lost webhook is mended, half goes back, an event is handled again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, command

Visit = Callable[..., Visitor]
PAGES = (
    *("", "/payments", "/webhooks", "/reconcile", "/catalogue", "/promo-codes", "/books", "/adjust"),
    *("/users", "/users/caps", "/alerts", "/prices", "/jobs", "/monitoring", "/announcements", "/audit", "/settings"),
)


def become_admin(visitor: Visitor, environ: dict[str, str], name: str) -> None:
    """Register, and be let into the control room by the operator's command."""
    command(environ, "accounts", "make-admin", visitor.register(name))


def control(sandbox_url: str, path: str, **told: object) -> None:
    answer = requests.post(f"{sandbox_url}/_control/{path}", json=told, timeout=20)
    assert answer.status_code < 300, answer.text


def buy(ada: Visitor, sandbox_url: str) -> str:
    """A pack is ordered by a program and paid at the sandbox; its webhooks wait there. The order's number."""
    control(sandbox_url, "webhooks", provider="stripe", url=f"{ada.site}/api/webhooks/stripe", mode="held")
    control(sandbox_url, "webhooks/deliver")
    token = ada.page.locator("input[name=csrf_token]").first.input_value()
    asked = ada.context.request.post(
        f"{ada.site}/api/billing/checkout-session",
        data={"priceId": "price_SbxPack100"},
        headers={"X-CSRFToken": token},
    )
    told = asked.json()
    control(sandbox_url, "stripe/sessions", id=told["id"])
    return str(told["reference"])


def test_a_lost_webhook_is_mended_half_goes_back_and_a_replay_brings_nothing_more(
    visit: Visit, site_environ: dict[str, str], sandbox_url: str
) -> None:
    ada = visit()
    become_admin(ada, site_environ, "ada-room")
    page = ada.open("/admin/catalogue")
    page.click("text=Sync now")
    expect(page.locator("#catalogue")).to_contain_text("$1.00 once")
    payment = buy(ada, sandbox_url)

    page = ada.open(f"/admin/payments/{payment}")
    page.click("text=Check now")
    expect(page.locator("#payment")).to_contain_text("100 credits given")
    expect(page.locator("#balance_pill")).to_contain_text("1,100 credits")

    page.fill("#amount", "0.5")
    expect(page.locator("#refund_preview")).to_contain_text("50 credits are taken back")
    page.click("text=Refund $0.50")
    expect(page.locator("#payment")).to_contain_text("Refund of $0.50: succeeded")
    expect(page.locator("#balance_pill")).to_contain_text("1,050 credits")
    ada.open("/admin/payments")
    expect(page.locator("#payments")).to_contain_text("partly refunded")

    control(sandbox_url, "webhooks/deliver")
    page = ada.open("/admin/webhooks?type=checkout.session.completed")
    page.locator("#inbox .pick a").first.click()
    expect(page.locator("#event")).to_contain_text("What came in")
    page.click("#event >> text=Replay")
    expect(page.locator("#event .badge").first).to_have_text("done", timeout=30_000)
    page.click("#event >> text=to the payment")
    expect(page.locator("#balance_pill")).to_contain_text("1,050 credits")


def test_a_look_finds_what_was_lost_and_heals_it(visit: Visit, site_environ: dict[str, str], sandbox_url: str) -> None:
    ada = visit()
    become_admin(ada, site_environ, "ada-look")
    ada.open("/admin/catalogue").click("text=Sync now")
    expect(ada.page.locator("#catalogue")).to_contain_text("$1.00 once")
    buy(ada, sandbox_url)

    page = ada.open("/admin/reconcile")
    page.click("text=Look now")
    expect(page.locator("#reconcile")).to_contain_text("paid, and not credited", timeout=40_000)
    page.locator("summary", has_text="Heal").click()
    page.locator("button", has_text="Heal").click()
    expect(page.locator("#reconcile")).to_contain_text("all mended", timeout=40_000)

    ada.open("/admin")
    expect(page.locator("#balance_pill")).to_contain_text("1,100 credits")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(visit: Visit, site_environ: dict[str, str], scheme: str) -> None:
    phone = visit(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    become_admin(phone, site_environ, f"ada-{scheme}")

    for path in PAGES:
        phone.open(f"/admin{path}")
        assert phone.overflow() <= 0, path


def test_codes_are_made_stored_and_gone_without_javascript(visit: Visit, site_environ: dict[str, str]) -> None:
    ada = visit(java_script_enabled=False)
    become_admin(ada, site_environ, "ada-codes")
    page = ada.open("/admin/promo-codes")
    page.fill("#name", "Spring fair")
    page.fill("#count", "3")
    page.fill("#credits", "50")
    page.click("text=Make the codes")
    expect(page.locator("#promo_codes")).to_contain_text("-")
    assert len(page.locator("#promo_codes").inner_text().split()) == 3

    page.click("text=I have stored them")

    expect(page.locator("#promo_codes")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("3 codes for 1 person each")


def test_a_price_is_rehearsed_in_place_and_saved(visit: Visit, site_environ: dict[str, str]) -> None:
    ada = visit()
    become_admin(ada, site_environ, "ada-price")
    page = ada.open("/admin/prices?q=sandbox-embed")  # nobody asks it in another test
    page.click("#prices table a")
    page.fill("#markup", "1.5")
    page.click("button:text-is('Rehearse')")

    expect(page.locator("#rehearsal")).to_contain_text("Nobody has used this model")
    assert "markup=1.5" in page.url
    page.click("text=Save this price")

    expect(page.locator("#rehearsal")).to_contain_text("× 1.5")
    ada.open("/admin/audit?act=metering.price_set")
    expect(page.locator("#audit")).to_contain_text("markup: none → 1.5")


@pytest.mark.parametrize("has_script", [True, False])
def test_a_person_is_viewed_as_and_announcements_are_put_away(
    visit: Visit, site_environ: dict[str, str], has_script: bool
) -> None:
    bob, ada = visit(), visit(java_script_enabled=has_script)
    email = bob.register("bob-viewed")
    become_admin(ada, site_environ, "ada-views")
    page = ada.open(f"/admin/users?q={email}")
    page.click("#people table a")
    page.fill("#reason", "ticket 7")
    page.click("text=View as bob")

    expect(page.locator(".banner", has_text="You view this site as")).to_contain_text(email)
    page.click("text=End it now")
    expect(page.locator("h1")).to_contain_text("bob")
    ada.open("/admin/announcements")
    page.fill("#text", f"News {has_script}")
    page.click("text=Announce it")
    expect(page.locator(".banner", has_text=f"News {has_script}")).to_be_visible()
    page.locator(".banner", has_text=f"News {has_script}").locator("button").click()
    expect(page.locator(".banner", has_text=f"News {has_script}")).to_have_count(0)
    bob.open("/dashboard")
    expect(bob.page.locator(".banner", has_text=f"News {has_script}")).to_be_visible()
