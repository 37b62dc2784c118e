"""Every page of the tour in a browser, in light and dark: nothing is complained of, nothing moves, nobody is kept out.

With TOUR_FOLDER set (`./run tour`) each page's picture is written there, and docs/tour.md beside the folder. The faults
of access are axe-core's (`npm ci --prefix tests/e2e/axe`); without it that part is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from scripts.small_png import shrunk
from scripts.tour_pages import PAGES, PARTS, TourPage
from tests.e2e import stage as staging
from tests.e2e.conftest import Visitor
from tests.e2e.stage import Stage

AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
FOLDER = os.environ.get("TOUR_FOLDER", "")
VIEW = {"width": 1000, "height": 740}
MOST_SHIFT = 0.01  # of 1; 0.1 is what search engines call good
_LISTEN = """
window.__shifted = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.__shifted += one.value;
}).observe({ type: "layout-shift", buffered: true });
"""
_LOOK = """async (rules) => {
  const found = await axe.run(document, { resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) });
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(" ")} ${node.html.slice(0, 120)}`));
}"""


class Guide:
    """Opens the tour's pages as who should see them, and keeps what is wrong with each."""

    def __init__(self, visitor: Visitor, ada: Visitor, stage: Stage) -> None:
        self.visitor, self.ada, self.stage = visitor, ada, stage
        self.faults: dict[str, list[str]] = {}
        self.shown = stage.demo

    def open(self, told: TourPage) -> Page:
        guest = self.visitor if told.who == "visitor" else self.ada
        if told.who != "visitor":
            self._stand_in(self.stage.demo if told.who == "demo" else self.stage.own)
        page = guest.open(told.path.format(**self.stage.ids))
        page.evaluate("document.fonts.ready.then(() => 1)")
        return page

    def _stand_in(self, workspace_id: str) -> None:
        if self.shown != workspace_id:
            staging.switch(self.ada, workspace_id)
            self.shown = workspace_id

    def note(self, told: TourPage, faults: list[str]) -> None:
        if faults:
            self.faults.setdefault(told.path, []).extend(faults)


@pytest.fixture
def guide(visit: Callable[..., Visitor], site_environ: dict[str, str], sandbox_url: str) -> Guide:
    calm: dict[str, Any] = {"viewport": VIEW, "color_scheme": "light", "reduced_motion": "reduce"}
    visitor, ada = visit(**calm), visit(**calm)
    stage = staging.set_up(ada, site_environ, sandbox_url)
    for one in (visitor, ada):
        one.context.add_init_script(_LISTEN)
    return Guide(visitor, ada, stage)


def test_every_page_stands_still_and_keeps_nobody_out_in_light_and_dark(guide: Guide) -> None:
    for told in PAGES:
        page = guide.open(told)
        guide.note(told, _moved(page) + _kept_out(page, None))
        if FOLDER:
            _picture(page, told)
        page.emulate_media(color_scheme="dark")
        guide.note(told, [f"dark {fault}" for fault in _kept_out(page, ["color-contrast"])])
        page.emulate_media(color_scheme="light")

    if FOLDER:
        Path(FOLDER).with_suffix(".md").write_text(_document(), encoding="utf-8")
    assert guide.faults == {}
    if not AXE.is_file():
        pytest.skip("npm ci --prefix tests/e2e/axe installs what looks for faults of access; all else was looked at")


def _moved(page: Page) -> list[str]:
    shifted = float(page.evaluate("window.__shifted"))
    return [f"moved by {shifted:.3f}"] if shifted > MOST_SHIFT else []


def _kept_out(page: Page, rules: list[str] | None) -> list[str]:
    """What axe-core calls serious or critical."""
    if not AXE.is_file():
        return []
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_LOOK, rules)
    return found


def _picture(page: Page, told: TourPage) -> None:
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{told.name}.png").write_bytes(shrunk(page.screenshot(animations="disabled", caret="hide")))


def _document() -> str:
    """docs/tour.md."""
    lines = [
        "# A tour",
        "",
        "Every page of TokenBoard, on a fresh site against the built-in sandbox; `./run tour` takes the pictures. The",
        "same walk (`./run e2e tests/e2e/test_tour.py`) looks for console errors, for anything that moves while a page",
        "loads, and for serious faults of access in light and dark.",
    ]
    for part in PARTS:
        lines += ["", f"## {part.title}"]
        for page in part.pages:
            lines += [
                "",
                f"### {page.title}",
                "",
                f"`{page.path}` · {page.text}",
                "",
                f"![{page.title}](tour/{page.name}.png)",
            ]
    return "\n".join(lines) + "\n"
