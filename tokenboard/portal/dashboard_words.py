"""The dashboard's sentences: what changed, what was noticed, how far the numbers are to be trusted. Pure.

Laws: every sentence names its amounts and its days; times are UTC; an increase is told as plainly as a decrease.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from tokenboard.costs.budget_rules import FORECAST_STEP
from tokenboard.costs.change_rules import Course, Mover, UnusualDay
from tokenboard.costs.models import Budget, BudgetAlert
from tokenboard.costs.period_rules import Period
from tokenboard.portal.dashboard_view import PROVIDERS
from tokenboard.web.filters import (
    WEEKDAYS,
    ago,
    day as short_day,
    day_range,
    percent,
    percent_signed,
    usd,
    usd_signed,
    usd_whole,
)

_WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line with a sign before it. `lead` is printed strongly; `tone` is ok, warn, bad or nothing."""

    icon: str
    tone: str
    lead: str
    text: str
    href: str = ""


def weekday(day: date) -> str:
    return _WEEKDAY_NAMES[day.weekday()]


def change_sentence(mover: Mover, name: str, href: str) -> Sentence:
    """One of the largest movers as a sentence."""
    icon, tone = ("trending-up", "warn") if mover.change_nano > 0 else ("trending-down", "ok")
    return Sentence(icon, tone, name, _course(mover), href)


def _course(mover: Mover) -> str:
    change = usd_signed(mover.change_nano)
    on = f"{WEEKDAYS[mover.on.weekday()]} {short_day(mover.on)}" if mover.on else ""
    if mover.course is Course.STARTED:
        return f"is new: {usd(mover.now_nano)} since {on}"
    if mover.course is Course.STOPPED:
        return f"stopped: {change}, last cost on {on}"
    ratio = f" ({percent_signed(Fraction(mover.change_nano, mover.before_nano))})" if mover.before_nano > 0 else ""
    if mover.course is Course.SPIKED:
        return f"{change}{ratio}, most of it on {on} ({usd(mover.on_nano)})"
    if mover.course is Course.SHIFTED:
        return f"{change}{ratio}, since {on}"
    return f"{change}{ratio}" + (", all along" if mover.course is Course.STEADY else "")


def unusual_sentence(unusual: UnusualDay, href: str) -> Sentence:
    """A day that stands out."""
    times = Fraction(unusual.nano, unusual.usual_nano) if unusual.usual_nano else None
    beside = f", {_tenths(times)} times a usual {weekday(unusual.on)}" if times else ""
    return Sentence("activity", "warn", short_day(unusual.on), f"was unusual: {usd(unusual.nano)}{beside}", href)


def _tenths(ratio: Fraction) -> str:
    whole, tenth = divmod(round(ratio * 10), 10)
    return f"{whole}.{tenth}" if whole < 10 else str(whole)


def revision_sentence(day: date, old_nano: int, new_nano: int, href: str) -> Sentence:
    """A day the provider changed after it should have been settled."""
    text = f"was revised by the provider: {usd(old_nano)} became {usd(new_nano)}"
    return Sentence("rotate-ccw", "warn", short_day(day), text, href)


def budget_sentence(alert: BudgetAlert, budget: Budget, name: str) -> Sentence:
    """A budget's step that was reached."""
    of = f"Budget of {name}" if budget.project_id else "Budget"
    when = short_day(alert.raised_at.date())
    if alert.step == FORECAST_STEP:
        text = f"forecast to end at {usd_whole(alert.forecast_nano or 0)}, above {usd(alert.limit_nano)} (seen {when})"
        return Sentence("triangle-alert", "warn", of, text, "/settings/budgets")
    tone = "bad" if alert.step == "100" else "warn"
    word = "used up" if alert.step == "100" else f"{alert.step} % used"
    text = f"{word}: {usd(alert.spent_nano)} of {usd(alert.limit_nano)} on {when}"
    return Sentence("bell", tone, of, text, "/settings/budgets")


def scope_line(
    providers: Iterable[str], settled_on: date | None, synced_at: datetime | None, now: datetime, project: str | None
) -> str:
    """Which bill this is, and how far it is to be trusted."""
    names = " and ".join(PROVIDERS[provider] for provider in providers) or "No"
    parts = [f"{names} bill" + (f", project {project}" if project else ""), "UTC days"]
    if settled_on is not None:
        parts.append(f"settled to {short_day(settled_on)}")
    parts.append(f"synced {ago(synced_at, now)}" if synced_at else "not synced yet")
    return ", ".join(parts)


def against(now_nano: int, before_nano: int, period: Period) -> tuple[str, str]:
    """A change in percent and what it is measured against: ("+12 %", "vs 1–20 Oct")."""
    beside = f"vs {day_range(period.first, period.last).rsplit(' ', 1)[0]}"
    if before_nano <= 0:
        return "", f"nothing in {beside[3:]}"
    return percent_signed(Fraction(now_nano - before_nano, before_nano)), beside


def share_text(nano: int, whole_nano: int) -> str:
    return percent(Fraction(nano, whole_nano)) if whole_nano > 0 else "–"
