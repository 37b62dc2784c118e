"""Reads a table of monthly caps: a line a person, `e-mail, cap`. Pure.

Laws: a cap is dollars with at most two decimals, `none` or nothing takes it away; a person stands in it once; one line
that cannot be read, and nothing of the table counts. The CSV of the people page is such a table: columns are found by
their names, others are ignored.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from tokenboard.core.parsing import parse_cents, parse_email

MOST_LINES = 1_000
MOST_CHARACTERS = 128 * 1024
LARGEST_CENTS = 10**11
EMAIL, CAP = "e-mail", "monthly cap (usd)"
_NAMES = {EMAIL: EMAIL, "email": EMAIL, CAP: CAP, "cap": CAP, "monthly cap": CAP}


@dataclass(frozen=True, slots=True)
class CapLine:
    """One person's cap in US cents; None: no cap."""

    email: str
    cents: int | None


@dataclass(frozen=True, slots=True)
class CapTable:
    """What was read, and a sentence for each line that could not be."""

    lines: tuple[CapLine, ...]
    faults: tuple[str, ...]


def read_caps(text: str) -> CapTable:
    """Read a table; the first line may name the columns."""
    if len(text) > MOST_CHARACTERS:
        return CapTable((), (f"At most {MOST_CHARACTERS // 1024} KB.",))
    try:
        rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if any(cell.strip() for cell in row)]
    except csv.Error:
        return CapTable((), ("This is not a table of comma-separated values.",))
    places = _places(rows[0]) if rows else None
    body = rows[1:] if places else rows
    if not body:
        return CapTable((), ("There is no line in it.",))
    if len(body) > MOST_LINES:
        return CapTable((), (f"At most {MOST_LINES:,} lines at once.",))
    return _read(body, places or (0, 1), first=2 if places else 1)


def _places(head: list[str]) -> tuple[int, int] | None:
    """Where e-mail and cap stand, if this line names them."""
    names = [_NAMES.get(cell.strip().casefold(), "") for cell in head]
    return (names.index(EMAIL), names.index(CAP)) if EMAIL in names and CAP in names else None


def _read(body: list[list[str]], places: tuple[int, int], *, first: int) -> CapTable:
    lines: dict[str, CapLine] = {}
    faults: list[str] = []
    for number, row in enumerate(body, first):
        try:
            line = CapLine(parse_email(_cell(row, places[0])), _cents(_cell(row, places[1])))
            if line.email in lines:
                raise ValueError(f"{line.email} stands in it twice.")
            lines[line.email] = line
        except ValueError as error:
            faults.append(f"Line {number}: {error}")
    return CapTable(tuple(lines.values()), tuple(faults))


def _cell(row: list[str], place: int) -> str:
    """A cell as it was typed; a spreadsheet's guard against formulas is taken off."""
    return row[place].strip().removeprefix("'") if place < len(row) else ""


def _cents(text: str) -> int | None:
    if text.casefold() in {"", "none", "-", "–"}:
        return None
    cents = parse_cents(text.replace(",", ""))
    if cents > LARGEST_CENTS:
        raise ValueError("A cap this large is none: write none.")
    return cents
