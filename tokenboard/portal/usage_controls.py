"""How one moves from one view of usage to its neighbours: finished labels and addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenboard.metering.usage_trends import Choices
from tokenboard.portal.dashboard_controls import Chip, Option
from tokenboard.portal.usage_names import Names
from tokenboard.portal.usage_page import BY_LABELS
from tokenboard.portal.usage_view import (
    CSV_PATH,
    LOG_CSV_PATH,
    SOURCE_WORDS,
    SPANS,
    STATUS_WORDS,
    USUAL_DAYS,
    UsageView,
)
from tokenboard.web.filters import day_range

# The filter form's own fields, and what begins anew when they change.
_FORM_FIELDS = ("model", "source", "key", "person", "from", "to", "days", "cursor")
_LOG_FIELDS = ("status", "cursor")

Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class UsageControls:
    """Everything that leads away from a view."""

    spans: Sequence[Option]
    by: Sequence[Option]
    chips: Sequence[Chip]
    kept_fields: Mapping[str, str]
    log_kept_fields: Mapping[str, str]
    models: Sequence[Choice]
    sources: Sequence[Choice]
    keys: Sequence[Choice]
    people: Sequence[Choice]
    statuses: Sequence[Choice]
    first: str
    last: str
    csv_href: str
    log_csv_href: str
    plain_href: str


def build(view: UsageView, found: Choices, names: Names) -> UsageControls:
    """The controls of a view."""
    shown, filters = view.fields(), view.filters
    keys = {key_id: names.key(key_id) for key_id in found.key_ids}
    people = {person_id: names.person(person_id) for person_id in found.people}
    return UsageControls(
        spans=[Option(label, view.over(days).href(), view.days == days) for days, label in SPANS.items()],
        by=[Option(label, view.changed(by=by).href(), view.by == by) for by, label in BY_LABELS.items()],
        chips=_chips(view, names),
        kept_fields={name: value for name, value in shown.items() if name not in _FORM_FIELDS},
        log_kept_fields={name: value for name, value in shown.items() if name not in _LOG_FIELDS},
        models=_offered(("", "All models"), {one: one for one in found.models}, filters.model),
        sources=_offered(("", "All sources"), {one: SOURCE_WORDS[one] for one in found.sources}, filters.source),
        keys=_offered(("", "All keys"), keys, filters.key_id),
        people=_offered(("", "Everybody"), people, filters.person_id),
        statuses=[("", "All endings"), *((one, words.capitalize()) for one, words in STATUS_WORDS.items())],
        first=str(view.span.first),
        last=str(view.span.last),
        csv_href=view.changed().href(CSV_PATH),
        log_csv_href=view.changed().href(LOG_CSV_PATH),
        plain_href=view.over(view.days or USUAL_DAYS).narrowed(**_no_filters()).href(),
    )


def _no_filters() -> dict[str, None]:
    return dict.fromkeys(("model", "source", "key_id", "person_id"))


def _offered(everything: Choice, found: Mapping[str, str], chosen: str | None) -> list[Choice]:
    """The choices by name; what is chosen stays among them also where the span has none of it."""
    missing = {} if chosen is None or chosen in found else {chosen: SOURCE_WORDS.get(chosen, chosen)}
    return [everything, *sorted((dict(found) | missing).items(), key=lambda one: one[1].casefold())]


def _chips(view: UsageView, names: Names) -> list[Chip]:
    filters = view.filters
    told = (
        ("model", filters.model),
        ("source", SOURCE_WORDS.get(filters.source or "")),
        ("key_id", names.key(filters.key_id)),
        ("person_id", names.person(filters.person_id)),
    )
    found = [Chip(words, view.narrowed(**{name: None}).href()) for name, words in told if words]
    if view.days is None:
        found.append(Chip(day_range(view.span.first, view.span.last), view.over(USUAL_DAYS).href()))
    return found
