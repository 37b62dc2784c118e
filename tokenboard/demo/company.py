"""Northwind Research, a company that does not exist: who uses which model for what, and its bill up to today. Pure.

Deterministic: the same day always tells the same bill. The shape of days, prices and settling are the sandbox's own
(sandbox/workload.py, openai_bill.py). Made to be worth a look: one project grows past its means, one was archived, one
is new, a nightly batch runs away once in a while, and one settled day was revised afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tokenboard.core.clock import Month, days_between, midnight
from tokenboard.core.money import nano_from_usd
from tokenboard.providers.costs import CostDay, CostRow, KeyName, ProjectName, UsageDay, UsageRow
from tokenboard.sandbox.openai_bill import Line, bill
from tokenboard.sandbox.openai_world import Cell, slice_of
from tokenboard.sandbox.workload import Workload, requests_on

NAME = "Demo: Northwind Research"
MONTHS = 7
_ACCIDENT_PERIOD_DAYS, _ACCIDENT_AGE_DAYS = 45, 42  # sandbox/workload.py
_REVISED_DAYS_AGO = 12
_REVISED_FROM_PERCENT = 91

ASSISTANT = ProjectName("proj_NwAssistant", "Research assistant")
SEARCH = ProjectName("proj_NwSearch", "Literature search")
REVIEW = ProjectName("proj_NwReview", "Document review")
STUDIO = ProjectName("proj_NwStudio", "Media studio")
FIELD = ProjectName("proj_NwField", "Field notes app")
PILOT = ProjectName("proj_NwPilot", "Summer pilot", is_archived=True)
PROJECTS = (ASSISTANT, SEARCH, REVIEW, STUDIO, FIELD, PILOT)

KEYS = (
    KeyName("key_NwAssistant", "assistant-prod", ASSISTANT.id),
    KeyName("key_NwAssistantDev", "assistant-dev", ASSISTANT.id),
    KeyName("key_NwSearch", "search-prod", SEARCH.id),
    KeyName("key_NwReview", "review-nightly", REVIEW.id),
    KeyName("key_NwNotebooks", "review-notebooks", REVIEW.id),
    KeyName("key_NwStudio", "studio-tools", STUDIO.id),
    KeyName("key_NwField", "field-app", FIELD.id),
    KeyName("key_NwPilot", "pilot", PILOT.id),
)
_ASSISTANT, _DEV, _SEARCH, _REVIEW, _NOTEBOOKS, _STUDIO, _FIELD, _PILOT = KEYS
_LARGE, _SMALL = "gpt-5.2-2026-01-15", "gpt-5.2-mini-2026-01-15"


def _chat(key: KeyName, model: str, requests: int, tokens: tuple[int, int, int], **more: int | bool) -> Workload:
    size, cached_percent, answer = tokens
    assert key.project_id is not None  # all of ours have one
    return Workload(
        "completions",
        key.project_id,
        model,
        key.id,
        "",
        requests,
        size,
        cached_percent,
        answer,
        **more,  # type: ignore[arg-type]
    )


def _counted(kind: str, key: KeyName, model: str, requests: int, quantity: int, tokens: int = 0) -> Workload:
    assert key.project_id is not None
    return Workload(kind, key.project_id, model, key.id, "", requests, tokens, quantity_per_request=quantity)


WORKLOADS = (
    _chat(_ASSISTANT, _LARGE, 1_700, (2_600, 55, 380)),
    _chat(_ASSISTANT, _SMALL, 5_200, (900, 40, 140)),
    _chat(_DEV, _SMALL, 420, (1_100, 5, 160)),
    _chat(_SEARCH, "gpt-4.1-mini-2025-04-14", 7_800, (1_500, 30, 70)),
    _chat(_REVIEW, "gpt-4o-2024-08-06", 640, (5_400, 0, 620), has_accidents=True),
    _chat(_NOTEBOOKS, "gpt-5.6-luna", 90, (6_000, 15, 1_400)),
    _chat(_STUDIO, _LARGE, 150, (1_200, 5, 1_500)),
    _chat(_FIELD, _SMALL, 3_400, (700, 45, 190), first_day=205),
    _chat(_PILOT, "gpt-4o-2024-08-06", 380, (1_900, 0, 480), last_day=118),
    _counted("embeddings", _SEARCH, "text-embedding-3-large", 12_000, 0, tokens=460),
    _counted("images", _STUDIO, "gpt-image-1.5", 70, 2),
    _counted("audio_transcriptions", _FIELD, "gpt-4o-transcribe", 180, 260),
    _counted("web_search_calls", _ASSISTANT, _LARGE, 90, 2),
)
KINDS = tuple(dict.fromkeys(work.endpoint for work in WORKLOADS))


@dataclass(frozen=True, slots=True)
class Books:
    """The company's bill and usage up to an instant."""

    now: datetime

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def first_on(self) -> date:
        return Month.of(self.today).shift(1 - MONTHS).first_day

    @property
    def days(self) -> list[date]:
        return days_between(self.first_on, self.today)

    @property
    def revised_on(self) -> date:
        return self.today - timedelta(days=_REVISED_DAYS_AGO)

    @property
    def origin(self) -> date:
        """Chosen so that the last runaway night lies within this month, once the month is some days old."""
        ago = 9 if self.today.day > 10 else max(1, self.today.day - 2)
        return self.today - timedelta(days=ago + _ACCIDENT_AGE_DAYS + 4 * _ACCIDENT_PERIOD_DAYS)

    def costs(self) -> list[CostDay]:
        """The bill as it stands now."""
        return [self.cost_day(day) for day in self.days]

    def cost_day(self, day: date) -> CostDay:
        return CostDay(day, tuple(map(_row, bill(self._cells(day), day, self.now, ()))))

    def before_revision(self) -> CostDay:
        """The revised day as it was told first."""
        told = self.cost_day(self.revised_on)
        rows = (CostRow(*_keys(row), row.amount_nano * _REVISED_FROM_PERCENT // 100, row.currency) for row in told.rows)
        return CostDay(told.day, tuple(rows))

    def usage(self, kind: str) -> list[UsageDay]:
        days = ((day, [cell for cell in self._cells(day) if cell.endpoint == kind]) for day in self.days)
        return [UsageDay(day, tuple(map(_usage, cells))) for day, cells in days]

    def _cells(self, day: date) -> list[Cell]:
        minute = int((self.now - midnight(day)).total_seconds()) // 60
        return slice_of(list(_day_cells(self.origin, day)), 0, minute)


def _day_cells(origin: date, day: date) -> Iterator[Cell]:
    """Everything a whole day brings."""
    for work in WORKLOADS:
        requests = requests_on(work, origin, day)
        total = requests * work.input_per_request
        if requests:
            yield Cell(
                endpoint=work.endpoint,
                project_id=work.project_id,
                model=work.model,
                api_key_id=work.api_key_id,
                user_id=work.user_id,
                requests=requests,
                input_tokens=total,
                cached_tokens=total * work.cached_percent // 100,
                output_tokens=requests * work.output_per_request,
                quantity=requests * work.quantity_per_request,
            )


def _row(line: Line) -> CostRow:
    return CostRow(line.project_id, line.line_item, line.api_key_id, nano_from_usd(line.amount), "usd")


def _keys(row: CostRow) -> tuple[str | None, str | None, str | None]:
    return row.project_id, row.line_item, row.api_key_id


def _usage(cell: Cell) -> UsageRow:
    return UsageRow(
        kind=cell.endpoint,
        project_id=cell.project_id,
        model=cell.model,
        api_key_id=cell.api_key_id,
        requests=cell.requests,
        input_tokens=cell.input_tokens,
        cached_tokens=cell.cached_tokens,
        output_tokens=cell.output_tokens,
        quantity=cell.quantity,
    )
