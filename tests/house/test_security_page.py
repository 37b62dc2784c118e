"""docs/security.md and docs/security-asvs.md name only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("security.md", "security-asvs.md")
ITEMS = 28  # of the checklist
LEVELS_1_AND_2 = 253


def _read(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    """`room/test_file::sentence` stands for `def test_sentence` in `tests/room/test_file.py`."""
    missing = []
    for file, sentence in re.findall(r"`([a-z0-9_/]+)(?:::([a-z0-9_]+))?`", _read(page)):
        path = ROOT / "tests" / f"{file}.py"
        if "/test_" not in file:
            continue
        if not path.is_file() or (sentence and f"def test_{sentence}(" not in path.read_text(encoding="utf-8")):
            missing.append(f"{file}::{sentence}")
    assert missing == []


def test_the_checklist_has_every_item_with_a_test() -> None:
    rows = re.findall(r"^\| (\d+) \| .* \|$", _read("security.md"), re.MULTILINE)
    table = _read("security.md").partition("## The checklist")[2]

    assert [int(one) for one in rows] == list(range(1, ITEMS + 1))
    for row in re.findall(r"^\| \d+ \| .* \|$", table, re.MULTILINE):
        assert "test_" in row, row[:60]


def test_every_requirement_of_levels_1_and_2_is_answered_once() -> None:
    line = r"^\| (\d+\.\d+\.\d+) \| (?:met|not met|not applicable|partly) \| .+ \|$"
    numbers = re.findall(line, _read("security-asvs.md"), re.MULTILINE)

    assert len(numbers) == len(set(numbers)) == LEVELS_1_AND_2
