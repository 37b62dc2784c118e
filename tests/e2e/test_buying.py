"""Buying in a browser against the sandbox, with the real worker: balance and ledger right after each step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.store import Store, await_on, balance, ledger, orders, pay_at_stripe, payment_intent

Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def store(site: str, sandbox_url: str) -> Store:
    return Store(sandbox_url).open(site)


@pytest.fixture
def alice(visit: Visit, store: Store) -> Visitor:
    """Somebody new, with 1,000 credits, before a shop that has its catalogue."""
    made = visit()
    made.register("alice-buys")
    await_on(made.page, "/api/billing/packages", "price_SbxPack100")
    return made


def test_a_pack_is_bought_refunded_by_half_and_charged_back(alice: Visitor, store: Store) -> None:
    page = alice.open("/credits")
    page.click(".pack:has-text('500 credits')")
    page.click("text=Pay $5.00 with Stripe")
    payment = pay_at_stripe(page)
    expect(page.locator("#payment_state")).to_contain_text("Your credits are here")
    expect(page.locator(".steps .done")).to_have_count(4)
    balance(alice, "1,500")

    intent = payment_intent(alice, payment)
    store.control("stripe/refunds", payment_intent=intent, amount=250)
    await_on(alice.page, payment, "Partly refunded")
    balance(alice, "1,250")

    disputed = store.control("stripe/disputes", payment_intent=intent)["object"]["id"]
    await_on(alice.page, payment, "Your bank is looking at this payment")
    store.control("stripe/disputes", id=disputed, status="lost")
    await_on(alice.page, payment, "The payment was charged back")
    balance(alice, "1,000")
    assert ledger(alice) == ["−250", "−250", "+500", "+1,000"]


def test_a_plan_begins_renews_and_is_one(alice: Visitor, store: Store) -> None:
    page = alice.open("/credits?buy=plans")
    page.click("text=Subscribe for $19.99 a month")
    pay_at_stripe(page)
    expect(page.locator("#payment_state")).to_contain_text("Your plan has begun")
    await_on(page, "/credits", "3,000 credits")

    await_on(page, "/subscription", "Active")
    page = alice.open("/subscription")
    number = page.locator("dd code").inner_text()
    store.control("stripe/clock", to="next_renewal", subscription=number)
    await_on(page, "/credits", "5,000 credits")
    assert ledger(alice) == ["+2,000", "+2,000", "+1,000"]

    page = alice.open("/credits?buy=plans")
    expect(page.locator("#add_credits")).to_contain_text("Your plan")
    expect(page.locator("text=Subscribe for")).to_have_count(0)
    page = alice.open("/subscription")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.click("text=Manage at Stripe")
    page.wait_for_url("**/stripe/portal/**")
    page.click("text=Cancel at the end of the period")
    page.click("text=Back to the shop")
    page.wait_for_url("**/subscription")
    await_on(page, "/subscription", "Ends on")


def test_shillings_are_paid_by_card_through_paystack(alice: Visitor) -> None:
    page = alice.open("/credits")
    page.click("text=KES")
    expect(page.locator("#add_credits")).to_contain_text("1 USD = 129 KES")
    page.fill("[name=amount]", "2.50")
    page.click("text=Pay KES 322.50 with Paystack")
    page.wait_for_url("**/paystack/checkout/**")
    expect(page.locator(".amount")).to_contain_text("322.50")
    page.click("button[value=card]")

    page.wait_for_url("**/credits?payment=success")
    expect(page.locator(".callout")).to_contain_text("250 credits for KES 322.50")
    balance(alice, "1,250")


@pytest.mark.parametrize(
    ("answer", "told", "left"),
    [
        ("accept", "Your credits are here", "1,100"),
        ("decline", "The payment did not go through", "1,000"),
        ("expire", "The payment did not go through", "1,000"),
    ],
)
def test_a_phone_is_asked_and_the_page_hears_its_answer_by_itself(
    alice: Visitor, store: Store, answer: str, told: str, left: str
) -> None:
    page = alice.open("/credits?currency=KES")
    page.check("[value=mpesa]")
    page.fill("[name=phone]", "0712 345 678")
    page.click("text=Ask my phone for KES 129.00")
    page.wait_for_url("**/credits/payments/**")
    expect(page.locator("#payment_state")).to_contain_text("Look at your phone")

    store.control("paystack/phone", reference=page.url.rpartition("/")[2], answer=answer)

    expect(page.locator("#payment_state")).to_contain_text(told, timeout=15_000)
    balance(alice, left)


def test_a_double_click_two_tabs_and_the_way_back_are_one_order(alice: Visitor) -> None:
    alice.open("/credits")
    other = alice.tab()
    other.goto(f"{alice.site}/credits")

    alice.page.dblclick("text=Pay $1.00 with Stripe")
    alice.page.wait_for_url("**/stripe/pay/**")
    checkout = alice.page.url
    other.click("text=Pay $1.00 with Stripe")
    other.wait_for_url(checkout)
    other.go_back()
    other.click("text=Pay $1.00 with Stripe")
    other.wait_for_url(checkout)
    pay_at_stripe(alice.page)
    other.reload()  # the checkout is done: it leads on
    other.wait_for_url("**/credits/payments/**")

    await_on(alice.page, "/credits", "1,100 credits")
    assert orders(alice) == 1
    assert ledger(alice) == ["+100", "+1,000"]


def test_two_tabs_that_choose_plans_leave_one_checkout_open(alice: Visitor) -> None:
    other = alice.tab()
    page = alice.open("/credits?buy=plans")
    other.goto(f"{alice.site}/credits?buy=plans")
    page.dblclick("text=Subscribe for $19.99 a month")
    page.wait_for_url("**/stripe/pay/**")
    other.click("text=Subscribe for $199.00 a year")
    other.wait_for_url("**/stripe/pay/**")

    pay_at_stripe(other)

    await_on(other, "/subscription", "Active")
    subscribed = alice.open("/subscription")
    expect(subscribed.locator("main")).to_contain_text("Pro yearly")
    expect(subscribed.locator("main")).not_to_contain_text("Two plans run at once")
    balance(alice, "25,000")


def test_a_closed_tab_loses_nothing(alice: Visitor) -> None:
    alice.open("/credits")
    checkout = alice.tab()
    checkout.goto(f"{alice.site}/credits")
    checkout.click("text=Pay $1.00 with Stripe")
    checkout.wait_for_url("**/stripe/pay/**")
    checkout.click("button[value=pay]", no_wait_after=True)
    checkout.wait_for_url("**/credits/payments/**")
    checkout.close()

    await_on(alice.page, "/credits", "1,100 credits")


def test_without_javascript_a_pack_is_bought_all_the_same(visit: Visit, alice: Visitor, store: Store) -> None:
    plain = visit(java_script_enabled=False)
    plain.register("alice-plain")
    page = plain.open("/credits")
    page.click(".pack:has-text('500 credits')")
    page.dblclick("text=Go to the payment page")

    pay_at_stripe(page)
    page.click("text=Check now")

    expect(page.locator("#payment_state")).to_contain_text("Your credits are here")
    balance(plain, "1,500")
    assert orders(plain) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_buyers_pages_fit_a_phone(visit: Visit, alice: Visitor, scheme: str) -> None:
    phone = visit(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    phone.register(f"phone-buys-{scheme}")
    for path in ("/credits", "/credits?currency=KES", "/credits?buy=plans&tab=payments", "/subscription", "/pricing"):
        phone.open(path)
        assert phone.overflow() <= 0, path
