"""A QR code as one SVG path, drawn by the template: no markup is made here, so nothing needs to be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import segno

_QUIET = 4  # modules of white around it, as ISO/IEC 18004 asks


@dataclass(frozen=True, slots=True)
class QrCode:
    """`size` modules wide and high; `path` fills the dark ones."""

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    """The code of a text, with error correction M."""
    code = segno.make(text, error="m", micro=False)
    rows = [list(row) for row in code.matrix_iter(border=_QUIET)]
    runs = (f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(rows) for x, length in _dark_runs(row))
    return QrCode(len(rows), "".join(runs))


def _dark_runs(row: list[int]) -> list[tuple[int, int]]:
    """Where dark modules begin, and how many follow one another."""
    runs: list[tuple[int, int]] = []
    for x, is_dark in enumerate(row):
        if not is_dark:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs
