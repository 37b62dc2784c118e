"""Reads the Procfile: the same lines start the product here and on Heroku."""

from __future__ import annotations

import re

from scripts.house import Refusal

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(\S.*)$")


def parse(text: str) -> dict[str, str]:
    """Process types and their commands. Raises: Refusal for a line that is neither a process, a comment nor empty."""
    processes = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise Refusal(f"Procfile, line {number}: expected `name: command`.")
        processes[match[1]] = match[2]
    return processes


def need(processes: dict[str, str], *names: str) -> None:
    """Raises: Refusal naming the first process type that is missing."""
    for name in names:
        if name not in processes:
            raise Refusal(f"The Procfile has no `{name}` line.")
