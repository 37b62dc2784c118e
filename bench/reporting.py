"""The table on the screen and the JSON file beside it."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from pathlib import Path

from bench.measuring import Result, Sample
from tokenboard import __version__
from tokenboard.core import clock

_COLUMNS = ("id", "ours ms", "cpu ms", "limit ms", "peer ms", "ratio", "spread", "goal", "ok")


def _median(samples: list[Sample], of: str) -> str:
    return f"{statistics.median(getattr(sample, of) for sample in samples):.3f}" if samples else "–"


def _cells(result: Result) -> tuple[str, ...]:
    verdict = {True: "yes", False: "NO", None: "–"}[result.is_met]
    spread = f"{min(result.ratios):.2f}–{max(result.ratios):.2f}"
    return (
        result.id,
        _median(result.ours, "wall_ms"),
        _median(result.ours, "cpu_ms"),
        _median(result.limit, "wall_ms"),
        _median(result.peer, "wall_ms"),
        f"{result.ratio:.2f}",
        spread,
        result.goal,
        verdict,
    )


def table(results: list[Result]) -> str:
    """The results as aligned text, with a line of notes under each that has some."""
    rows = [_COLUMNS, *(_cells(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"{result.id}: {result.what}; " + _spoken(result.notes) for result in results]
    return "\n".join([*lines, "", *notes])


def _spoken(notes: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in notes.items()) or "no notes"


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "at": clock.iso(clock.now()),
        "version": __version__,
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "machine": platform.machine(),
    }


def write_json(results: list[Result], path: Path) -> None:
    """One file a run: the machine, then every repeat of every measurement."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "results": [result.as_json() for result in results]}
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")


def comparison(results: list[Result], older: Path) -> str:
    """Each ratio beside the one of an older file."""
    before = {row["id"]: row["ratio"] for row in json.loads(older.read_text(encoding="utf-8"))["results"]}
    lines = [
        f"{result.id}: ratio {result.ratio:.2f}, was {before[result.id]:.2f}"
        for result in results
        if result.id in before
    ]
    return "\n".join(lines)
