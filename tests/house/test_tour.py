"""docs/tour.md shows every page of the map, each with its picture, and no picture is heavy."""

from __future__ import annotations

import re

from scripts.tour_pages import FILES, LEFT_OUT, PAGES, PARTS
from tests.house.test_map import ROOT, _existing_routes, _plain, _rows

TOUR = ROOT / "docs" / "tour"
HEAVIEST = 60 * 1024


def _shown() -> set[str]:
    return {_plain(re.sub(r"\{\w+\}", ":x", page.path.partition("?")[0])) for page in PAGES}


def test_every_page_of_the_map_is_in_the_tour_or_left_out_for_a_reason(sqlite_app):
    there = _existing_routes(sqlite_app)
    pages = {call.removeprefix("GET ") for call in map(_plain, _rows("Pages")) if call.startswith("GET ")}
    expected = {path for path in pages if f"GET {path}" in there and not path.endswith(FILES)}

    assert expected - _shown() - set(map(_plain, LEFT_OUT)) == set()
    assert _shown() - {route.removeprefix("GET ") for route in there} == set()


def test_the_document_is_what_the_list_says_and_each_picture_is_light():
    document = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    pictures = {path.name: path.stat().st_size for path in TOUR.glob("*.png")}

    assert [page.name for page in PAGES if f"tour/{page.name}.png" not in document or page.text not in document] == []
    assert [part.title for part in PARTS if f"## {part.title}\n" not in document] == []
    assert set(pictures) == {f"{page.name}.png" for page in PAGES}
    assert {name: size for name, size in pictures.items() if size > HEAVIEST} == {}
