"""The chat in a browser: it streams, stops, survives a reload and a second tab, and says what it cost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor

Visit = Callable[..., Visitor]
BOX = "#composer_message"
STOP = "#composer_acts >> text=Stop"
MODEL = "sandbox-swift"
expect.set_options(timeout=20_000)  # two cores, shared with others


def _open(visitor: Visitor, name: str, model: str = MODEL) -> Page:
    visitor.register(name)
    page = visitor.open("/chat")
    page.select_option("#model", model)
    return page


def _send(page: Page, text: str) -> None:
    page.fill(BOX, text)
    page.press(BOX, "Enter")


def _spend(page: Page, credits_: float) -> None:
    """Use credits up, as a program with this browser's session would."""
    status = page.evaluate(
        """async (amount) => {
          const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
          const body = JSON.stringify({ amount, reason: "test", idempotencyKey: String(Math.random()) });
          const sent = { method: "POST", body, headers: { ...headers, "Content-Type": "application/json" } };
          return (await fetch("/api/credits/spend", sent)).status;
        }""",
        credits_,
    )
    assert status == 200


def test_an_answer_streams_is_drawn_and_says_what_it_cost(visit: Visit) -> None:
    page = _open(visit(), "chats", "sandbox-slow")
    _send(page, "/say **Bold** and `code` and <b>tags</b>, one word after another, so that it takes a while.")

    streamed = page.locator(".streamed")
    expect(streamed).to_contain_text("**Bold**")
    expect(page.locator("#composer_acts")).to_contain_text("Stop")
    expect(page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}$"))
    answer = page.locator(".answer").last
    expect(answer.locator(".markdown strong")).to_have_text("Bold")
    expect(answer.locator(".markdown")).to_contain_text("<b>tags</b>")
    expect(answer.locator(".answer-meta")).to_contain_text(
        re.compile(r"sandbox-slow.*\d+ in / \d+ out.*credits.*first", re.DOTALL)
    )
    expect(page.locator("#composer_acts")).to_contain_text("Send")
    expect(page.locator("#balance_pill")).to_contain_text("999 credits")
    expect(page.locator("#conversations")).to_contain_text("/say **Bold**")
    answer.locator("summary").click()
    expect(answer.locator(".receipt-body")).to_contain_text("Provider's price")


def test_stop_keeps_what_there_is(visit: Visit) -> None:
    page = _open(visit(), "stops", "sandbox-slow")
    _send(page, "/words 300")
    expect(page.locator(".streamed")).to_contain_text("3")
    page.click(STOP)

    expect(page.locator(".ending")).to_contain_text("You stopped this answer.")
    expect(page.locator(".ending")).to_contain_text("Charged")
    page.click("text=Continue")
    expect(page.locator(".said").last).to_contain_text("Continue where you stopped.")
    page.click(STOP)
    expect(page.locator(".ending")).to_have_count(2)


def _drawn_words(page: Page) -> list[str]:
    return page.locator(".answer .markdown").last.inner_text().split()


def test_a_reload_in_mid_answer_and_a_second_tab_miss_nothing(visit: Visit) -> None:
    alice = visit()
    page = _open(alice, "reloads", "sandbox-slow")
    _send(page, "/words 40")
    expect(page.locator(".streamed")).to_contain_text("4")
    other = alice.tab()
    other.goto(page.url)
    page.reload()
    expect(page.locator(".streamed")).to_contain_text("4")

    for tab in (page, other):
        expect(tab.locator(".answer .markdown")).to_have_count(1, timeout=30_000)
    assert _drawn_words(page) == _drawn_words(other)
    assert len(_drawn_words(page)) == 40
    expect(page.locator(".answer-meta")).to_contain_text("credits")


def test_a_hidden_tab_hears_the_answer_too(visit: Visit) -> None:
    page = _open(visit(), "hides", "sandbox-slow")
    _send(page, "/words 30")
    expect(page.locator(".streamed")).to_contain_text("3")
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.locator(".answer .markdown")).to_have_count(1, timeout=30_000)


def test_trying_again_and_editing_put_the_old_aside(visit: Visit) -> None:
    page = _open(visit(), "edits")
    _send(page, "/say first")
    expect(page.locator(".answer .markdown")).to_have_text("first")
    former = page.locator(".answer").get_attribute("id")
    page.click("text=Try again")
    expect(page.locator(f"#{former}")).to_have_count(0)
    expect(page.locator(".answer .markdown")).to_have_text("first")
    expect(page.locator(".answer")).to_have_count(1)

    page.locator(".said").hover()
    page.click(".edit summary")
    page.fill(".edit textarea", "/say second")
    page.click("text=Send again")

    expect(page.locator(".answer .markdown")).to_have_text("second")
    expect(page.locator(".said")).to_have_count(1)


def test_a_fault_is_a_sentence_and_can_be_tried_again(visit: Visit) -> None:
    page = _open(visit(), "faults")
    page.select_option("#model", "fault-cut")
    _send(page, "Hello")

    ending = page.locator(".ending.bad")
    expect(ending).to_contain_text("provider broke off")
    expect(ending).to_contain_text("Charged")
    page.select_option("#model", MODEL)
    page.click(".redo >> text=Try again")
    expect(page.locator(".ending")).to_have_count(0)
    expect(page.locator(".answer-meta")).to_contain_text(MODEL)


def test_a_small_wallet_gets_a_part_and_says_so(visit: Visit) -> None:
    page = _open(visit(), "small", "sandbox-sage")
    _spend(page, 999)
    page.reload()
    page.select_option("#model", "sandbox-sage")
    page.fill(BOX, "/words 3000")
    expect(page.locator("#estimate")).to_contain_text("The balance covers an answer of up to")
    expect(page.locator("#estimate")).to_contain_text("Send as a short answer")
    page.press(BOX, "Enter")

    expect(page.locator(".ending")).to_contain_text("The wallet could pay only for a part", timeout=30_000)
    expect(page.locator(".ending >> text=Add credits")).to_have_attribute("href", "/credits")


def test_an_empty_wallet_leads_to_credits(visit: Visit) -> None:
    page = _open(visit(), "empty")
    _spend(page, 1000)
    page.reload()

    expect(page.locator("#composer_acts")).to_contain_text("Add credits to send")
    page.fill(BOX, "Hello")
    page.press(BOX, "Enter")
    expect(page).to_have_url(re.compile("/chat$"))
    expect(page.locator(BOX)).to_have_value("Hello")


def test_the_keys(visit: Visit) -> None:
    page = _open(visit(), "keys")
    _send(page, "/say hello")
    expect(page.locator(".answer .markdown")).to_have_text("hello")
    page.press(BOX, "Escape")
    page.keyboard.press("/")
    expect(page.locator("input[name=q]")).to_be_focused()
    page.keyboard.type("zebra")
    expect(page.locator("#conversations")).to_contain_text("Nothing found")
    page.locator("#thread").focus()
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/chat$"))
    page.fill(BOX, "one")
    page.press(BOX, "Shift+Enter")
    expect(page.locator(BOX)).to_have_value("one\n")


def test_without_javascript_the_answer_comes_by_itself(visit: Visit) -> None:
    plain = visit(java_script_enabled=False)
    page = _open(plain, "plain", "sandbox-slow")
    page.fill(BOX, "/words 20")
    page.click("text=Send")

    expect(page.locator(".streamed")).to_have_count(1)
    expect(page.locator(".answer .markdown")).to_have_count(1, timeout=30_000)
    assert len(_drawn_words(page)) == 20
    page.click("text=Try again")
    page.click(STOP)
    expect(page.locator(".ending")).to_contain_text("You stopped this answer.", timeout=30_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(visit: Visit, scheme: str) -> None:
    phone = visit(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = _open(phone, f"phone-{scheme}")
    assert phone.overflow() <= 0
    _send(page, "Write code with a table of steps for " + "averyveryverylongword" * 8)
    expect(page.locator(".answer .markdown")).to_have_count(1, timeout=30_000)

    assert phone.overflow() <= 0
    expect(page.locator("#chat_side")).to_be_hidden()
    page.click(".chat-side-open")
    expect(page.locator("#chat_side")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#chat_side")).to_be_hidden()
