"""Virtual keys in a browser and at `/v1`: made, used by the `openai` package and by curl, paused, rotated, revoked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import openai
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor

Visit = Callable[..., Visitor]
MODEL = "sandbox-swift"
QUESTION = [{"role": "user", "content": "/say hello there"}]
expect.set_options(timeout=20_000)  # two cores, shared with others


def _client(site: str, secret: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{site}/v1", api_key=secret, max_retries=0, timeout=20)


def _make(page: Page, name: str) -> str:
    """Fill the form for a new key; its secret."""
    page.fill("#new_name", name)
    page.fill("#new_amount", "5")
    page.click("text=Make the key")
    shown = page.locator("#new_secret")
    expect(shown).to_contain_text("sk-tb-")
    return shown.inner_text().strip()


def _curl(site: str, secret: str) -> dict[str, object]:
    body = json.dumps({"model": MODEL, "messages": QUESTION, "max_tokens": 40})
    heads = ["-H", f"Authorization: Bearer {secret}", "-H", "Content-Type: application/json"]
    asked = ["curl", "--silent", "--show-error", f"{site}/v1/chat/completions", *heads, "--data", body]
    done = subprocess.run(asked, check=True, capture_output=True, timeout=30)
    return dict(json.loads(done.stdout))


def test_a_key_is_made_used_and_followed_to_its_end(visit: Visit, site: str) -> None:
    alice = visit()
    alice.register("keys")
    page = alice.open("/keys")
    secret = _make(page, "build bot")
    client = _client(site, secret)

    assert MODEL in [one.id for one in client.models.list()]
    whole = client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=40)
    assert whole.choices[0].message.content
    pieces = client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=40, stream=True)
    assert "".join(one.choices[0].delta.content or "" for one in pieces if one.choices)
    assert _curl(site, secret)["object"] == "chat.completion"

    page.click("text=I have stored it")
    expect(page.locator("#key_list")).to_contain_text("build bot")
    expect(page.locator("body")).not_to_contain_text(secret)
    page.click("#key_list >> text=build bot")
    expect(page.locator("#use tbody tr:not(.receipt-row) th a")).to_have_count(3)
    page.locator("#use tbody tr:not(.receipt-row) th a").first.click()
    expect(page.locator(".receipt-row").first).to_contain_text("Charged")
    expect(page.locator("#balance_pill")).to_contain_text("999 credits")
    expect(page.locator("#key_state")).to_contain_text("of $5.00")
    _followed(page, site, secret)


def _followed(page: Page, site: str, secret: str) -> None:
    """Paused, resumed, rotated, revoked: each counts at once."""
    client = _client(site, secret)
    page.click("text=Pause")
    expect(page.locator("#key_state")).to_contain_text("Programs that use it are refused")
    with pytest.raises(openai.PermissionDeniedError, match="paused"):
        client.chat.completions.create(model=MODEL, messages=QUESTION)
    page.click("text=Resume")
    expect(page.locator("#key_state")).not_to_contain_text("Paused")
    expect(page.locator(".toast").last).to_contain_text("may be used again")

    page.select_option("#overlap", "60")
    page.click("text=Rotate the key")
    fresh = page.locator("#new_secret").inner_text().strip()
    assert fresh != secret
    for either in (secret, fresh):
        assert _client(site, either).chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=20).choices
    expect(page.locator("#secrets")).to_contain_text("being replaced")

    page.click("#end summary")
    page.click("text=Revoke key build bot")
    expect(page.locator("#key_state")).to_contain_text("Revoked for good")
    for either in (secret, fresh):
        with pytest.raises(openai.AuthenticationError):
            _client(site, either).chat.completions.create(model=MODEL, messages=QUESTION)


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"java_script_enabled": False}], ids=["dark", "plain"])
def test_the_keys_pages_fit_a_phone_and_need_no_script(visit: Visit, options: dict[str, object]) -> None:
    visitor = visit(viewport={"width": 390, "height": 800}, **options)
    visitor.register("phone")
    page = visitor.open("/keys")
    _make(page, "a key with a rather long name that wants more room than a phone has")
    has_script = options.get("java_script_enabled", True)
    assert not has_script or visitor.overflow() <= 0
    page.click("text=I have stored it")
    page.click("#key_list tbody a >> nth=0")
    page.click("text=Save the limits")
    expect(page.locator(".toast")).to_contain_text("The limits are changed.")
    assert not has_script or visitor.overflow() <= 0
