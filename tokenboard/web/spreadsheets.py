"""Tables for spreadsheets: CSV in which no cell can start a formula.

Source: RFC 4180; OWASP, CSV injection: a cell that begins with = + - @, a tab or a return may be run by a spreadsheet.
A number of ours may begin with a minus: it is written as a number, and only text is made safe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from decimal import Decimal

from flask import Response

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_answer(file_name: str, rows: Iterable[Iterable[str | Decimal]]) -> Response:
    """A download of these rows."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    answer = Response(buffer.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return answer


def _cell(cell: str | Decimal) -> str:
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
