"""Opens pages of the tour and looks for what nobody should meet: something that moves, something that keeps people out.

The faults of access are axe-core's (`npm ci --prefix tests/e2e/axe`); without it they are not looked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from scripts.tour_pages import TourPage
from tests.e2e import stage as staging
from tests.e2e.conftest import Visitor
from tests.e2e.stage import Stage

AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
CALM: dict[str, Any] = {
    "viewport": {"width": 1000, "height": 740},
    "color_scheme": "light",
    "reduced_motion": "reduce",
}
MOST_SHIFT = 0.01  # of 1; 0.1 is what search engines call good
_LISTEN = """
window.__shifted = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.__shifted += one.value;
}).observe({ type: "layout-shift", buffered: true });
"""
# Two seconds at most: what moves for ever, or was taken off the page, is not waited for.
_AT_REST = """Promise.race([
  Promise.allSettled(document.getAnimations().map((one) => one.finished)),
  new Promise((resolve) => setTimeout(resolve, 2000)),
]).then(() => 1)"""
_FONTS = "Promise.race([document.fonts.ready, new Promise((resolve) => setTimeout(resolve, 2000))]).then(() => 1)"
_LOOK = """async (rules) => {
  const found = await axe.run(document, { resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) });
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(" ")} ${node.html.slice(0, 120)}`));
}"""


def watched(*visitors: Visitor) -> None:
    """Let these browsers note what moves."""
    for one in visitors:
        one.context.add_init_script(_LISTEN)


class Guide:
    """Opens the tour's pages as who should see them, and keeps what is wrong with each."""

    def __init__(self, visitor: Visitor, ada: Visitor, stage: Stage) -> None:
        self.visitor, self.ada, self.stage = visitor, ada, stage
        self.faults: list[str] = []
        self.shown = stage.demo

    def open(self, told: TourPage) -> Page:
        guest = self.visitor if told.who == "visitor" else self.ada
        if told.who != "visitor":
            self._stand_in(self.stage.demo if told.who == "demo" else self.stage.own)
        page = guest.open(told.path.format(**self.stage.ids))
        page.evaluate(_FONTS)
        return page

    def _stand_in(self, workspace_id: str) -> None:
        if self.shown != workspace_id:
            staging.switch(self.ada, workspace_id)
            self.shown = workspace_id

    def look(self, told: TourPage) -> Page:
        """Open a page, and note what is wrong with it in light and dark. It stays open, in light."""
        page = self.open(told)
        found = moved(page) + kept_out(page, None)
        page.emulate_media(color_scheme="dark")
        page.evaluate(_AT_REST)
        found += [f"dark {fault}" for fault in kept_out(page, ["color-contrast"])]
        page.emulate_media(color_scheme="light")
        page.evaluate(_AT_REST)
        self.faults += [f"{told.path}: {fault}" for fault in found]
        return page

    def expect_nothing(self) -> None:
        """Every fault on a line. Skips with its reason where nobody could look for faults of access."""
        if self.faults:
            pytest.fail("\n".join(self.faults), pytrace=False)
        if not AXE.is_file():
            pytest.skip("npm ci --prefix tests/e2e/axe installs what looks for faults of access; all else is in order")


def moved(page: Page) -> list[str]:
    shifted = float(page.evaluate("window.__shifted"))
    return [f"moved by {shifted:.3f}"] if shifted > MOST_SHIFT else []


def kept_out(page: Page, rules: list[str] | None) -> list[str]:
    """What axe-core calls serious or critical."""
    if not AXE.is_file():
        return []
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_LOOK, rules)
    return found
