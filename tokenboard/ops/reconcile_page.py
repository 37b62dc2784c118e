"""Comparisons with the providers in finished texts: the latest look's report, what can be mended, the looks before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.accounts.queries import people_by_id
from tokenboard.billing import reconcile_queries
from tokenboard.billing.reconcile_models import ReconcileFinding, RunState
from tokenboard.billing.reconcile_queries import RunLine
from tokenboard.billing.reconciling import MOST_DAYS, USUAL_DAYS
from tokenboard.ops.payments_page import PROVIDER_WORDS
from tokenboard.web.filters import number, plural

PATH = "/admin/reconcile"
DAYS = (USUAL_DAYS, 7, MOST_DAYS)
_BY = {"schedule": "the schedule", "cli": "the command line"}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One difference of the report."""

    provider: str
    object_id: str
    payment_href: str
    what: str
    problem: str
    state: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class Report:
    """A finished look."""

    run_id: str
    ended_at: datetime
    by: str
    days: str
    verdict: str
    tone: str
    compared: tuple[tuple[str, str], ...]
    findings: tuple[FindingRow, ...]
    can_heal: int
    heal_words: str


@dataclass(frozen=True, slots=True)
class LookRow:
    """One look of the list."""

    at: datetime
    by: str
    days: str
    what: str
    found: str
    healed: str
    is_open: bool
    tone: str


@dataclass(frozen=True, slots=True)
class ReconcilePage:
    """Everything on the page. `under_way` is what a look that is open says."""

    under_way: str
    asked_at: datetime | None
    report: Report | None
    looks: tuple[LookRow, ...]
    days: tuple[tuple[str, str], ...]


def build() -> ReconcilePage:
    """Three reads."""
    lines = reconcile_queries.runs()
    actors = people_by_id({line.run.actor for line in lines})
    names = {one: person.name for one, person in actors.items()}
    done = next((line for line in lines if line.run.state == RunState.DONE), None)
    opened = next((line for line in lines if line.run.state != RunState.DONE), None)
    return ReconcilePage(
        under_way=_under_way(opened),
        asked_at=opened.run.asked_at if opened else None,
        report=_report(done, names) if done else None,
        looks=tuple(_look(line, names) for line in lines),
        days=tuple((str(days), f"the last {days} days") for days in DAYS),
    )


def _under_way(line: RunLine | None) -> str:
    if line is None:
        return ""
    if line.run.state == RunState.WAITING:
        return "It waits for a worker. This page looks by itself."
    return "The providers are being asked. This page looks by itself; closing it stops nothing."


def _report(line: RunLine, names: dict[str, str]) -> Report:
    run, left = line.run, line.found - line.healed
    assert run.ended_at is not None, "a look that is done has ended"
    return Report(
        run_id=run.id,
        ended_at=run.ended_at,
        by=_by(line, names),
        days=plural(run.days, "day"),
        verdict=_verdict(line),
        tone="bad" if left else "ok",
        compared=(
            ("Paid checkouts", number(run.sessions)),
            ("Paid invoices", number(run.invoices)),
            ("Undelivered events", number(run.events)),
            ("Paystack payments", number(run.transactions)),
        ),
        findings=tuple(_finding(one, is_healing=run.is_healing) for one in reconcile_queries.findings(run.id)),
        can_heal=line.can_heal,
        heal_words=f"Heal {number(line.can_heal)}",
    )


def _verdict(line: RunLine) -> str:
    if not line.found:
        return "The books agree"
    if line.found == line.healed:
        return f"{plural(line.found, 'difference')}, all mended"
    mended = f", {number(line.healed)} mended" if line.healed else ""
    return f"{plural(line.found, 'difference')}{mended}"


def _finding(one: ReconcileFinding, *, is_healing: bool) -> FindingRow:
    state, tone, icon = "to mend", "warn", "clock"
    if one.healed_at is not None:
        state, tone, icon = "mended", "ok", "check"
    elif not one.can_heal:
        state, tone, icon = "look yourself", "bad", "eye"
    elif is_healing and one.problem:
        state, tone, icon = "not mended", "bad", "circle-alert"
    return FindingRow(
        provider=PROVIDER_WORDS[one.provider],
        object_id=one.object_id,
        payment_href=f"/admin/payments?q={one.object_id}" if one.object_id.startswith(("cs_", "in_")) else "",
        what=one.what,
        problem=one.problem,
        state=state,
        tone=tone,
        icon=icon,
    )


def _look(line: RunLine, names: dict[str, str]) -> LookRow:
    run = line.run
    return LookRow(
        at=run.asked_at,
        by=_by(line, names),
        days=plural(run.days, "day"),
        what="looked and healed" if run.is_healing else "looked",
        found=number(line.found),
        healed=number(line.healed),
        is_open=run.state != RunState.DONE,
        tone="bad" if line.found > line.healed else "",
    )


def _by(line: RunLine, names: dict[str, str]) -> str:
    actor = line.run.actor
    return _BY.get(actor) or names.get(actor, "somebody who has left")
