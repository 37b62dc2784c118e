"""The three books of a month in finished texts: each sum, each gap by its name, by model and by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tokenboard.accounts.queries import people_by_id
from tokenboard.core.clock import Month, days_between, this_month, today
from tokenboard.costs.period_rules import state_of
from tokenboard.ops import threeway_queries as queries, threeway_rules as rules
from tokenboard.ops.threeway_queries import Books, Closed
from tokenboard.ops.threeway_rules import Gaps, Key
from tokenboard.web.charts import Chart, Series, stacked_bars
from tokenboard.web.filters import credit_amount, day_long, month_name, number, plural, usd, usd_exact, usd_signed

Column = tuple[str, str]  # the measure, and what it is called

PATH, CSV_PATH = "/admin/books/month", "/admin/books/month.csv"
CLOSE_PATH, FOREIGN_PATH = "/admin/books/close", "/admin/books/foreign"
MOST_CHANGES = 50
# From the bill down to what customers paid: the measure, what it is called, what it is.
_STEPS = (
    ("foreign_nano", "Foreign", "LiteLLM reports it for keys and people that nobody knows here"),
    ("unpriced_nano", "Unpriced", "models that were metered at nothing: they have no price here"),
    ("outside_nano", "Outside the gateway", "billed beyond all that went through: somebody uses the key elsewhere"),
    ("discount_nano", "Discount", "billed below the list price"),
    ("late_nano", "Late", "days whose bill still moves or has not come"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """An amount with every digit on hover; nothing is a dash."""

    text: str
    exact: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the way from the bill to what customers paid. `tone`: "" a gap, `sum` a book."""

    name: str
    note: str
    cell: Cell
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One model or day."""

    name: str
    requests: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What came to one day and model after the close."""

    day: str
    model: str
    requests: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Late:
    """What changed since the close."""

    sentence: str
    is_any: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ThreewayPage:
    """Everything on the page."""

    title: str
    month: str
    previous_href: str
    next_href: str
    state: str
    sources: tuple[str, ...]
    steps: tuple[Step, ...]
    kpis: tuple[tuple[str, Cell, str], ...]
    chart: Chart
    columns: tuple[Column, ...]
    models: tuple[Row, ...]
    days: tuple[Row, ...]
    total: Row
    ledger: tuple[tuple[str, str, str], ...]
    csv_href: str
    can_close: bool
    close_hint: str
    closed_at: datetime | None
    closed_by: str
    late: Late | None
    # Other months that are closed, with their addresses.
    closed_months: tuple[tuple[str, str], ...]
    is_empty: bool


# What a row of the tables tells, in this order; on the page a gap that nothing fell into is left out.
COLUMNS = (
    ("bill_nano", "Bill"),
    ("metered_nano", "Metered"),
    ("foreign_nano", "Foreign"),
    ("unpriced_nano", "Unpriced"),
    ("outside_nano", "Outside"),
    ("discount_nano", "Discount"),
    ("late_nano", "Late"),
    ("paid_nano", "Paid"),
    ("markup_nano", "Markup"),
    ("shrinkage_nano", "Shrinkage"),
)
_ALWAYS = ("bill_nano", "metered_nano", "paid_nano", "markup_nano")


def build(month: Month) -> ThreewayPage:
    """The month as it is now; a closed one as it was closed, with what came since."""
    now, frozen = queries.books(month), queries.closed(month)
    shown = frozen.books if frozen else now
    total, columns = shown.total, _columns(shown, now)
    return ThreewayPage(
        title=month_name(month),
        month=str(month),
        previous_href=href(month.shift(-1)),
        next_href=href(month.shift(1)) if month < this_month() else "",
        state=state_of(month.last_day, today(), shown.settled_on) if now.sources or shown.settled_on else "",
        sources=tuple(f"{one.provider} …{one.last4} of {one.workspace}" for one in now.sources),
        steps=_steps(total),
        kpis=_kpis(total),
        chart=_chart(shown),
        columns=columns,
        models=tuple(_row(model, line, columns) for model, line in rules.by_model(shown.lines).items()),
        days=tuple(_row(day_long(day), line, columns) for day, line in rules.by_day(shown.lines).items()),
        total=_row("Total", total, columns),
        ledger=_ledger(shown),
        csv_href=f"{CSV_PATH}?month={month}",
        can_close=frozen is None and month.last_day < today(),
        close_hint=_close_hint(now),
        closed_at=frozen.closed_at if frozen else None,
        closed_by=_who(frozen),
        late=_late(now, frozen, columns) if frozen else None,
        closed_months=tuple((month_name(one), href(one)) for one in queries.closed_months() if one != month),
        is_empty=not shown.lines,
    )


def href(month: Month) -> str:
    """The address of a month."""
    return f"{PATH}?month={month}"


def _who(frozen: Closed | None) -> str:
    if frozen is None:
        return ""
    if frozen.closed_by == "cli":
        return "the command line"
    found = people_by_id({frozen.closed_by}).get(frozen.closed_by)
    return found.name if found else "somebody who has left"


def _close_hint(now: Books) -> str:
    last_day = now.month.last_day
    if now.sources and (now.settled_on is None or now.settled_on < last_day):
        return "The provider may still change the last days; closed now, what changes will be told as late."
    return ""


def _cell(nano: int) -> Cell:
    return Cell(usd(nano) if nano else "–", usd_exact(nano))


def _signed(nano: int) -> Cell:
    return Cell(usd_signed(nano) if nano else "–", usd_exact(nano))


def _steps(total: Gaps) -> tuple[Step, ...]:
    """From what the provider bills down to what customers paid: each difference with its name."""
    gaps = [Step(name, note, _signed(-getattr(total, measure))) for measure, name, note in _STEPS]
    return (
        Step("Provider’s bill", "what the house owes, by the connections below", _cell(total.bill_nano), is_sum=True),
        *gaps,
        Step("Gateway’s meter", "at list price, request by request", _cell(total.metered_nano), is_sum=True),
        Step("Markup", "what customers pay above the list price", _signed(total.markup_nano)),
        Step("Shrinkage", "what the house took upon itself", _signed(-total.shrinkage_nano)),
        Step("Customers paid", f"{credit_amount(total.paid_micros)} credits", _cell(total.paid_nano), is_sum=True),
    )


def _kpis(total: Gaps) -> tuple[tuple[str, Cell, str], ...]:
    gap = total.bill_nano - total.metered_nano
    return (
        ("Provider’s bill", _plain(total.bill_nano), "UTC days"),
        ("Gateway’s meter", _plain(total.metered_nano), f"{number(total.requests)} requests at list price"),
        ("Customers paid", _plain(total.paid_nano), f"{credit_amount(total.paid_micros)} credits"),
        ("Bill less meter", Cell(usd_signed(gap), usd_exact(gap)), "each part of it is named below"),
    )


def _plain(nano: int) -> Cell:
    return Cell(usd(nano), usd_exact(nano))


def _chart(shown: Books) -> Chart:
    """What customers' use was billed for, and what else the bill holds, day by day."""
    days, found = days_between(shown.month.first_day, shown.month.last_day), rules.by_day(shown.lines)
    lines = [found.get(day, rules.NOTHING) for day in days]
    series = [
        Series("metered", "Metered", [one.metered_nano for one in lines]),
        Series("foreign", "Foreign", [one.foreign_nano for one in lines]),
        Series("outside", "Outside or unpriced", [one.outside_nano + one.unpriced_nano for one in lines]),
    ]
    drawn = [one for one in series if one.total_nano] or series[:1]
    return stacked_bars(days=days, series=drawn, today=today(), height=220)


def _columns(*shown: Books) -> tuple[Column, ...]:
    lines = [line for one in shown for line in one.lines.values()]
    return tuple(one for one in COLUMNS if one[0] in _ALWAYS or any(getattr(line, one[0]) for line in lines))


def _row(name: str, line: Gaps, columns: Sequence[Column]) -> Row:
    return Row(name, number(line.requests), tuple(_cell(getattr(line, measure)) for measure, _ in columns))


def _ledger(shown: Books) -> tuple[tuple[str, str, str], ...]:
    """Whether the ledger says what the meter says: the difference is use that was booked in another month."""
    late = shown.booked_late_micros
    return (
        ("Taken from wallets for metered requests", credit_amount(shown.taken_metered_micros), "by the day of booking"),
        ("Paid for this month’s requests", credit_amount(shown.total.paid_micros), "by the day of use"),
        ("Booked in another month than used", _signed_credits(late), "late: reported by the feeds afterwards"),
        ("Taken otherwise", credit_amount(shown.taken_other_micros), "spent by programs through the credits API"),
    )


def _signed_credits(micros: int) -> str:
    return f"+{credit_amount(micros)}" if micros > 0 else credit_amount(micros)


def _late(now: Books, frozen: Closed, columns: Sequence[Column]) -> Late:
    changes: Mapping[Key, Gaps] = rules.changed(now.lines, frozen.books.lines)
    total = rules.difference(now.total, frozen.books.total)
    shown = list(changes.items())[:MOST_CHANGES]
    return Late(
        sentence=_late_words(total, len(changes)),
        is_any=bool(changes),
        changes=tuple(
            Change(
                day_long(day), model, number(line.requests), tuple(_signed(getattr(line, one)) for one, _ in columns)
            )
            for (day, model), line in shown
        ),
    )


def _late_words(total: Gaps, lines: int) -> str:
    if not lines:
        return "Nothing has changed since."
    came = f"{plural(total.requests, 'request')} came late: " if total.requests else ""
    paid = f"{usd_signed(total.metered_nano)} metered, {usd_signed(total.paid_nano)} paid."
    moved = f" The bill has moved by {usd_signed(total.bill_nano)}." if total.bill_nano else ""
    return f"{came}{paid}{moved}"
