"""One version, told once in users' words and once to programs."""

from __future__ import annotations

import re
from pathlib import Path

from tokenboard import __version__

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"


def test_the_newest_version_of_the_changelog_is_the_packages() -> None:
    newest = re.search(r"^## (\d+\.\d+\.\d+)", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == __version__
