"""docs/operations.md names what runs: every periodic job and every command of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask

from tokenboard.schedule import PERIODIC

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
NOT_OURS = {"db", "run", "shell", "routes"}  # Flask's own


def _section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def _commands(app: Flask) -> Iterator[str]:
    for name, group in app.cli.commands.items():
        if name not in NOT_OURS and isinstance(group, click.Group):
            yield from (f"{name} {command}" for command in group.commands)


def test_every_periodic_job_stands_on_the_page_and_no_other() -> None:
    listed = re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| [^|]+ \|", _section("Periodic jobs"), re.MULTILINE)))

    assert sorted(listed) == sorted(periodic.name for periodic in PERIODIC)


def test_every_command_stands_on_the_page(sqlite_app: Flask) -> None:
    listed = set(re.findall(r"`([a-z]+ [a-z-]+)[^`]*`", _section("Commands")))

    assert set(_commands(sqlite_app)) - listed == set()
