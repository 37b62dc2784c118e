"""How one moves from one view of the dashboard to its neighbours: finished labels and addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from tokenboard.costs import bill_rules
from tokenboard.costs.bill_rules import By
from tokenboard.portal.dashboard_facts import Facts
from tokenboard.portal.dashboard_view import NAMELESS_WORD, PROVIDERS, SPANS
from tokenboard.web.filters import day_long, month_name

BY_LABELS = {By.PROJECT: "Project", By.LINE_ITEM: "Line item", By.MODEL: "Model", By.API_KEY: "API key"}
BY_WORDS = BY_LABELS | {By.PROJECT: "project", By.LINE_ITEM: "line item", By.MODEL: "model"}
# A form's own fields, and what means something else once they change.
_NOT_KEPT = ("project", "provider", "name")


@dataclass(frozen=True, slots=True)
class Option:
    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Chip:
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything that leads away from a view."""

    title: str
    previous_href: str
    next_href: str
    spans: Sequence[Option]
    by: Sequence[Option]
    compare: Option
    chips: Sequence[Chip]
    kept_fields: Sequence[tuple[str, str]]
    project: str
    projects: Sequence[tuple[str, str]]
    providers: Sequence[tuple[str, str]]
    csv_href: str
    poll_href: str
    poll_target: str


def build(facts: Facts) -> Controls:
    """The controls of these facts."""
    view = facts.view
    unpicked = view.changed(day=None)
    is_last = view.span_days is not None or view.month.holds(view.today)
    shown = parse_qsl(view.query())
    return Controls(
        title=month_name(view.month),
        previous_href=unpicked.href(month=view.month.shift(-1), span_days=None),
        next_href="" if is_last else unpicked.href(month=view.month.shift(1)),
        spans=_spans(facts),
        by=[Option(label, view.href(by=by, name=None), view.by is by) for by, label in BY_LABELS.items()],
        compare=Option("Compare", view.href(is_compared=not view.is_compared), view.is_compared),
        chips=_chips(facts),
        kept_fields=[(name, value) for name, value in shown if name not in _NOT_KEPT],
        project=NAMELESS_WORD if view.project_id == "" else view.project_id or "",
        projects=_projects(facts),
        providers=_providers(facts),
        csv_href=view.href("/dashboard.csv"),
        poll_href=_poll_href(facts),
        poll_target="#sync_state" if polls_alone(facts) else "#panel",
    )


def _spans(facts: Facts) -> list[Option]:
    view = facts.view
    unpicked = view.changed(day=None)
    month = Option("Month", unpicked.href(span_days=None), view.span_days is None)
    return [month, *(Option(f"{days} days", unpicked.href(span_days=days), view.span_days == days) for days in SPANS)]


def _projects(facts: Facts) -> list[tuple[str, str]]:
    return [("", "All projects"), *facts.projects, (NAMELESS_WORD, bill_rules.NAMELESS[By.PROJECT])]


def _providers(facts: Facts) -> list[tuple[str, str]]:
    return [("", "All providers"), *((slug, PROVIDERS[slug]) for slug in facts.providers)]


def _poll_href(facts: Facts) -> str:
    """What is asked while a bill is being read. `was` lets the last answer fetch the whole panel once more."""
    href = facts.view.href()
    return f"{href}{'&' if '?' in href else '?'}was=running" if polls_alone(facts) else href


def polls_alone(facts: Facts) -> bool:
    """Whether only the line of the reading is asked for anew; a first reading fills the whole panel."""
    return facts.has_bill and not facts.view.is_arriving


def _chips(facts: Facts) -> list[Chip]:
    view = facts.view
    found = []
    if view.provider:
        found.append(Chip(PROVIDERS[view.provider], view.href(provider=None)))
    if view.project_id is not None:
        found.append(Chip(f"Project: {project_name(facts)}", view.href(project_id=None, name=None)))
    if view.name is not None:
        found.append(Chip(f"{BY_LABELS[view.by]}: {name_of(facts, view.name)}", view.href(name=None)))
    if view.day is not None:
        found.append(Chip(day_long(view.day), view.href(day=None)))
    return found


def project_name(facts: Facts) -> str:
    """The picked project's name, its id while it has none."""
    key = facts.view.project_id or ""
    return dict(facts.projects).get(key) or key or bill_rules.NAMELESS[By.PROJECT]


def name_of(facts: Facts, key: str) -> str:
    """What a part of the bill is called."""
    return facts.split.names.get(key) or key or bill_rules.NAMELESS[facts.view.by]
