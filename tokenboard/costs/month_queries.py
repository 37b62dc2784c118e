"""One month of a bill as everything that speaks of it sees it: to date, today, month end, the month before.

Laws: the page's band, /api/summary and the budgets' alerts all come from `picture`. Units: nano-USD; UTC days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tokenboard.core.clock import Month
from tokenboard.costs.forecast_rules import HISTORY_DAYS, WEEKS, Forecast, forecast, usual_day
from tokenboard.costs.period_rules import Period, month_period
from tokenboard.costs.queries import Scope, daily_totals, daily_totals_as_of


@dataclass(frozen=True, slots=True)
class MonthPicture:
    """A month, seen from a day."""

    month: Month
    today: date
    totals: Mapping[date, int]
    known_since: date | None
    outlook: Forecast

    @property
    def spent_nano(self) -> int:
        """The month to date; all of it when it is over."""
        return self.outlook.booked_nano

    @property
    def today_nano(self) -> int:
        return self.totals.get(self.today, 0)

    @property
    def yesterday_nano(self) -> int:
        return self.totals.get(self.today - timedelta(days=1), 0)

    @property
    def usual_yesterday_nano(self) -> int | None:
        """What yesterday's weekday usually costs."""
        return usual_day(self.today - timedelta(days=1), self.totals, self.known_since)

    @property
    def previous_month_nano(self) -> int:
        return self.between(month_period(self.month.shift(-1)))

    def between(self, period: Period) -> int:
        """The sum of a period that was read."""
        return sum(nano for day, nano in self.totals.items() if period.holds(day))


def needed(month: Month, today: date) -> Period:
    """The days a month's picture is made of: its own, the month before, and the weeks a forecast learns from."""
    learnt_from = today - timedelta(days=HISTORY_DAYS + 7 * WEEKS)
    return Period(min(month.shift(-1).first_day, learnt_from), max(month.last_day, today))


def picture(scope: Scope, month: Month, today: date, *, as_of: datetime | None = None) -> MonthPicture:
    """A month as it is known now, or as it was known at an instant."""
    period = needed(month, today)
    totals = daily_totals(scope, period) if as_of is None else daily_totals_as_of(scope, period, as_of)
    return picture_of(totals, month, today, scope.known_since)


def picture_of(totals: Mapping[date, int], month: Month, today: date, known_since: date | None) -> MonthPicture:
    """The same from totals that were read already; they must cover `needed`."""
    return MonthPicture(month, today, totals, known_since, forecast(month, today, totals, known_since))
