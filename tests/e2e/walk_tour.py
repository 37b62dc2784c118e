"""Every page of the tour in a browser: looked at, and its picture taken where TOUR_FOLDER says (`./run tour`).

Not among `./run e2e`'s tests, for it takes minutes; tests/e2e/test_main_pages.py looks at the pages people meet first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from scripts.small_png import shrunk
from scripts.tour_pages import PAGES, PARTS, TourPage
from tests.e2e import stage as staging
from tests.e2e.conftest import Visitor
from tests.e2e.guiding import CALM, Guide, watched

FOLDER = os.environ.get("TOUR_FOLDER", "")


@pytest.fixture
def guide(visit: Callable[..., Visitor], site_environ: dict[str, str], sandbox_url: str) -> Guide:
    visitor, ada = visit(**CALM), visit(**CALM)
    stage = staging.set_up(ada, site_environ, sandbox_url)
    watched(visitor, ada)
    return Guide(visitor, ada, stage)


def test_every_page_stands_still_and_keeps_nobody_out_in_light_and_dark(guide: Guide) -> None:
    for told in PAGES:
        page = guide.look(told)
        if FOLDER:
            _picture(page, told)

    if FOLDER:
        Path(FOLDER).with_suffix(".md").write_text(_document(), encoding="utf-8")
    guide.expect_nothing()


def _picture(page: Page, told: TourPage) -> None:
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{told.name}.png").write_bytes(shrunk(page.screenshot(animations="disabled", caret="hide")))


def _document() -> str:
    """docs/tour.md."""
    lines = [
        "# A tour",
        "",
        "Every page of TokenBoard, on a fresh site against the built-in sandbox. The pictures are taken by",
        "`./run tour`, which also looks for console errors, for anything that moves while a page loads, and for",
        "serious faults of access in light and dark.",
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
