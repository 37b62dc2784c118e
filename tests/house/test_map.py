"""docs/map.md is true: what it says has come is there, and what is there it knows."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask

from tokenboard.core.config import declarations

ROOT = Path(__file__).resolve().parents[2]
MAP = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
STEP = int(re.search(r"^Built up to step: (\d)$", MAP, re.MULTILINE).group(1))  # type: ignore[union-attr]
UNLISTED_METHODS = {"HEAD", "OPTIONS"}


def _rows(section: str) -> dict[str, int]:
    """What stands in a section's first column, with its step."""
    text = MAP.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return {cell: int(step) for cell, step in re.findall(r"^\| `([^`]+)` \|.*\| (\d) \|$", text, re.MULTILINE)}


def _plain(path: str) -> str:
    """One spelling for `:id`, `<id:workspace_id>` and `<reference>`."""
    return re.sub(r"<[^>]+>|:\w+", ":x", path)


def _existing_routes(app: Flask) -> set[str]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]
    return {f"{method} {_plain(rule.rule)}" for rule in rules for method in (rule.methods or set()) - UNLISTED_METHODS}


def test_every_call_and_page_whose_step_has_come_exists(sqlite_app: Flask) -> None:
    promised = {_plain(row) for row, step in (_rows("Calls") | _rows("Pages")).items() if step <= STEP}
    assert promised - _existing_routes(sqlite_app) == set()


def test_every_route_has_its_row(sqlite_app: Flask) -> None:
    listed = {_plain(row) for row in _rows("Calls") | _rows("Pages")}
    assert _existing_routes(sqlite_app) - listed == set()


def test_every_setting_whose_step_has_come_exists_and_every_setting_has_its_row() -> None:
    existing = {declaration.name for _, declaration, _ in declarations()}
    promised = {name for name, step in _rows("Settings").items() if step <= STEP}
    assert promised - existing == set()
    assert existing - set(_rows("Settings")) == set()
