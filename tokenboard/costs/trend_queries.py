"""A bill's days by name, as charts and the trend call draw them.

Law: the series of a day sum to the day's total; past the longest list the smallest are one series, `Other`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tokenboard.costs.bill_rules import By, sums
from tokenboard.costs.breakdown_queries import split
from tokenboard.costs.period_rules import Period
from tokenboard.costs.queries import Scope

MOST_SERIES = 50
REST = "Other"


def trend_series(scope: Scope, by: By, period: Period) -> dict[str, Mapping[date, int]]:
    """Each name's days, the costliest first."""
    parts = split(scope, by, period)
    keys = list(parts.totals(period))
    series = {parts.names[key]: parts.daily[key] for key in keys[:MOST_SERIES]}
    rest = sums((day, nano) for key in keys[MOST_SERIES:] for day, nano in parts.daily[key].items())
    if rest:
        series[REST if REST not in series else f"{REST} ({len(keys) - MOST_SERIES})"] = rest
    return series
