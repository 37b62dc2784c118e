"""Some 500 hostile pieces, said by a model and drawn in a browser: nothing runs, nothing is asked or reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from playwright.sync_api import expect

from tests.chat.payloads import LARGE, all_payloads
from tests.e2e.conftest import Visitor

Visit = Callable[..., Visitor]
LONGEST_MESSAGE = 10_000  # characters: within what an answer may have
ACTIVE = (
    "script, style, iframe, object, embed, svg, math, img, form, input, button:not(.code-copy), "
    "video, audio, link, meta"
)


def _messages() -> Iterator[str]:
    """The payloads, several to a message."""
    message = "/say "
    for payload in all_payloads():
        if payload in LARGE or "\x00" in payload or "\x01" in payload or "\u202e" in payload:
            continue  # such characters are refused in a message; tests/chat reads these back
        if len(message) + len(payload) > LONGEST_MESSAGE:
            yield message
            message = "/say "
        message += payload + "\n\n"
    yield message


def test_nothing_a_model_writes_is_active(visit: Visit) -> None:
    alice = visit()
    alice.register("payloads")
    page = alice.open("/chat")
    page.select_option("#model", "sandbox-swift")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: alice.complaints.append(f"dialog: {dialog.message}"))
    page.add_init_script("addEventListener('securitypolicyviolation', () => (window.violated = true))")
    for number, message in enumerate(_messages(), start=1):
        page.fill("#composer_message", message)
        page.press("#composer_message", "Enter")
        expect(page.locator(".answer .markdown")).to_have_count(number, timeout=30_000)

    page.reload()

    expect(page.locator(".answer .markdown")).to_have_count(number)
    assert page.locator(".markdown").locator(ACTIVE).count() == 0
    assert page.evaluate("window.violated") is None
    assert [url for url in asked if not url.startswith(alice.site)] == []
    hrefs = page.locator(".markdown a[href]").evaluate_all("links => links.map(link => link.protocol)")
    assert set(hrefs) <= {"http:", "https:"}
