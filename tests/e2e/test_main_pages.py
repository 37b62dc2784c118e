"""The pages people meet first: no complaint in the console, nothing moves while they load, and nobody is kept out."""

from __future__ import annotations

from collections.abc import Callable

from scripts.tour_pages import PAGES
from tests.e2e.conftest import Visitor
from tests.e2e.guiding import CALM, Guide, watched
from tests.e2e.stage import Stage

OPEN = ("landing", "pricing", "models", "login", "api-part")
SIGNED_IN = ("welcome", "credits", "chat", "security")


def test_the_main_pages_stand_still_and_keep_nobody_out_in_light_and_dark(visit: Callable[..., Visitor]) -> None:
    visitor, zoe = visit(**CALM), visit(**CALM)
    zoe.register("zoe")
    watched(visitor, zoe)
    guide = Guide(visitor, zoe, Stage())

    for told in PAGES:
        if told.name in OPEN + SIGNED_IN:
            guide.look(told)

    guide.expect_nothing()


def test_the_terminal_plays_and_ends_as_it_stands_in_the_page(visit: Callable[..., Visitor]) -> None:
    still, moving = visit(reduced_motion="reduce"), visit(reduced_motion="no-preference")
    lines = ".terminal-lines"
    told = still.open("/").inner_text(lines)

    page = moving.open("/")
    page.wait_for_selector("[data-terminal-again]:not([hidden])", timeout=30_000)

    assert page.inner_text(lines) == told
    page.click("[data-terminal-again]")
    assert page.locator(".terminal-line.to-come").count() > 0
