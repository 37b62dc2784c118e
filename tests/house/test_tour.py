"""The tour leads to every page of the map."""

from __future__ import annotations

import re

from scripts.tour_pages import FILES, LEFT_OUT, PAGES
from tests.house.test_map import _existing_routes, _plain, _rows


def _shown() -> set[str]:
    return {_plain(re.sub(r"\{\w+\}", ":x", page.path.partition("?")[0])) for page in PAGES}


def test_every_page_of_the_map_is_in_the_tour_or_left_out_for_a_reason(sqlite_app):
    there = _existing_routes(sqlite_app)
    pages = {call.removeprefix("GET ") for call in map(_plain, _rows("Pages")) if call.startswith("GET ")}
    expected = {path for path in pages if f"GET {path}" in there and not path.endswith(FILES)}

    assert expected - _shown() - set(map(_plain, LEFT_OUT)) == set()
    assert _shown() - {route.removeprefix("GET ") for route in there} == set()
