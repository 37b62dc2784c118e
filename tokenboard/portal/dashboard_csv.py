"""The dashboard as a table for spreadsheets: what is shown, day by day, in full precision.

Laws: the same facts as the page, so the sums agree to the nano-dollar; no cell can start a formula; UTC days.
Source: OWASP, CSV injection: a cell that begins with = + - @, a tab or a return may be run by a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from tokenboard.core.money import usd_from_nano
from tokenboard.portal.dashboard_facts import Facts
from tokenboard.portal.dashboard_view import View

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
TOTAL = "Total"


def write(facts: Facts) -> str:
    """The whole file. Days down, names across, the costliest first; then the total of each."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")  # as RFC 4180 has it
    writer.writerows(_rows(facts))
    return buffer.getvalue()


def _rows(facts: Facts) -> Iterator[list[str]]:
    keys = [item.key for item in facts.items]
    daily = [facts.split.daily.get(key, {}) for key in keys]
    yield ["Day (UTC)", "Total USD", *(safe_cell(item.name) for item in facts.items)]
    for day in facts.view.booked.days:
        amounts = [days.get(day, 0) for days in daily]
        yield [day.isoformat(), exact(sum(amounts)), *map(exact, amounts)]
    yield [TOTAL, exact(facts.total_nano), *(exact(item.nano) for item in facts.items)]


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def exact(nano: int) -> str:
    """Every digit there is, as a plain decimal number."""
    return f"{usd_from_nano(nano).normalize():f}" if nano else "0"


def file_name(view: View) -> str:
    """tokenboard-2026-11-01-2026-11-20-project.csv."""
    return f"tokenboard-{view.booked.first}-{view.booked.last}-{view.by.value}.csv"
