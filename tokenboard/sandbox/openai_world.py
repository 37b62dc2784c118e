"""The organization behind the sandbox's OpenAI: projects, keys, people, and what they use. Pure.

Everything hangs on the world's origin, the day the sandbox first started less 240: so there are eight months to show,
a project that was archived, one that is young, and an accident about two weeks ago.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from tokenboard.sandbox.workload import MINUTES_PER_DAY, Workload, requests_on, share

HISTORY_DAYS = 240
ARCHIVED_AFTER_DAYS = 165
YOUNG_AFTER_DAYS = 150


@dataclass(frozen=True, slots=True)
class Project:
    id: str
    name: str
    created_after_days: int = -60
    archived_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    name: str
    project_id: str
    owner: Person


@dataclass(frozen=True, slots=True)
class World:
    """One organization."""

    name: str
    origin: date
    projects: tuple[Project, ...]
    keys: tuple[ApiKey, ...]
    people: tuple[Person, ...]
    workloads: tuple[Workload, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one workload did in one stretch of a day."""

    endpoint: str
    project_id: str
    model: str | None
    api_key_id: str
    user_id: str
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    quantity: int


MAYA = Person("user_SbxMaya", "Maya Lindqvist", "maya@lumen.example", "owner")
TOMAS = Person("user_SbxTomas", "Tomás Herrera", "tomas@lumen.example", "reader")
WANJIRU = Person("user_SbxWanjiru", "Wanjirũ Kamau", "wanjiru@lumen.example", "reader")
PEOPLE = (MAYA, TOMAS, WANJIRU)

SUPPORT = Project("proj_SbxSupport", "Support copilot")
SEARCH = Project("proj_SbxSearch", "Search and ranking")
PIPELINE = Project("proj_SbxPipeline", "Data pipeline")
MARKETING = Project("proj_SbxMarketing", "Marketing studio")
MOBILE = Project("proj_SbxMobile", "Mobile app", created_after_days=YOUNG_AFTER_DAYS)
LEGACY = Project("proj_SbxLegacy", "Legacy prototype", archived_after_days=ARCHIVED_AFTER_DAYS)
PROJECTS = (SUPPORT, SEARCH, PIPELINE, MARKETING, MOBILE, LEGACY)

KEYS = (
    ApiKey("key_SbxSupportProd", "support-prod", SUPPORT.id, MAYA),
    ApiKey("key_SbxSupportStaging", "support-staging", SUPPORT.id, TOMAS),
    ApiKey("key_SbxSearchProd", "search-prod", SEARCH.id, MAYA),
    ApiKey("key_SbxPipelineNightly", "pipeline-nightly", PIPELINE.id, WANJIRU),
    ApiKey("key_SbxPipelineAdhoc", "pipeline-notebooks", PIPELINE.id, TOMAS),
    ApiKey("key_SbxMarketing", "marketing-tools", MARKETING.id, WANJIRU),
    ApiKey("key_SbxMobileProd", "mobile-prod", MOBILE.id, TOMAS),
    ApiKey("key_SbxLegacy", "hackathon", LEGACY.id, MAYA),
)
_SUPPORT_PROD, _SUPPORT_STAGING, _SEARCH_PROD, _NIGHTLY, _ADHOC, _MARKETING, _MOBILE_PROD, _LEGACY = KEYS


def _chat(key: ApiKey, model: str, requests: int, tokens: tuple[int, int, int], **more: int | bool | None) -> Workload:
    input_per_request, cached_percent, output_per_request = tokens
    return Workload(
        "completions",
        key.project_id,
        model,
        key.id,
        key.owner.id,
        requests,
        input_per_request,
        cached_percent,
        output_per_request,
        **more,  # type: ignore[arg-type]
    )


def _other(endpoint: str, key: ApiKey, model: str | None, requests: int, quantity: int, tokens: int = 0) -> Workload:
    return Workload(
        endpoint,
        key.project_id,
        model,
        key.id,
        key.owner.id,
        requests,
        input_per_request=tokens,
        quantity_per_request=quantity,
    )


WORKLOADS = (
    _chat(_SUPPORT_PROD, "gpt-5.2-2026-01-15", 4_200, (3_100, 62, 420)),
    _chat(_SUPPORT_PROD, "gpt-5.2-mini-2026-01-15", 9_000, (900, 40, 120)),
    _chat(_SUPPORT_STAGING, "gpt-5.2-mini-2026-01-15", 500, (900, 10, 150)),
    _chat(_SEARCH_PROD, "gpt-4.1-mini-2025-04-14", 15_000, (1_400, 35, 60)),
    _chat(_NIGHTLY, "gpt-4o-2024-08-06", 2_400, (5_200, 0, 700), has_accidents=True),
    _chat(_ADHOC, "gpt-5.6-luna", 210, (6_500, 20, 1_500)),
    _chat(_MARKETING, "gpt-5.2-2026-01-15", 380, (1_200, 5, 1_600)),
    _chat(_MOBILE_PROD, "gpt-5.2-mini-2026-01-15", 6_000, (700, 50, 180), first_day=YOUNG_AFTER_DAYS),
    _chat(_LEGACY, "gpt-4o-2024-08-06", 600, (1_800, 0, 500), last_day=ARCHIVED_AFTER_DAYS),
    _other("embeddings", _SEARCH_PROD, "text-embedding-3-large", 22_000, 0, tokens=480),
    _other("moderations", _SUPPORT_PROD, "omni-moderation-latest", 9_000, 0, tokens=220),
    _other("images", _MARKETING, "gpt-image-1.5", 90, 2),
    _other("audio_speeches", _MARKETING, "gpt-4o-mini-tts", 60, 900),
    _other("audio_transcriptions", _SUPPORT_PROD, "gpt-4o-transcribe", 320, 240),
    _other("vector_stores", _SUPPORT_PROD, None, 4, 2_400_000_000),
    _other("code_interpreter_sessions", _ADHOC, None, 45, 1),
    _other("file_search_calls", _SUPPORT_PROD, None, 1_500, 1),
    _other("web_search_calls", _MARKETING, "gpt-5.2-2026-01-15", 130, 3),
)


def company(origin: date) -> World:
    """The usual world: six projects, eight keys, ten models."""
    return World("company", origin, PROJECTS, KEYS, PEOPLE, WORKLOADS)


def empty(origin: date) -> World:
    """An organization that has not used anything yet."""
    return World("empty", origin, (), (), (MAYA,), ())


def large(origin: date) -> World:
    """Forty projects with ten line items a day each, for measurements."""
    projects = tuple(Project(f"proj_SbxLarge{n:02d}", f"Team {n:02d}") for n in range(40))
    keys = tuple(ApiKey(f"key_SbxLarge{n:02d}", f"team-{n:02d}", projects[n].id, PEOPLE[n % 3]) for n in range(40))
    models = [f"gpt-5.2-variant-{n}" for n in range(5)]
    workloads = tuple(_chat(key, model, 300 + 40 * n, (800, 0, 90)) for key in keys for n, model in enumerate(models))
    return World("large", origin, projects, keys, PEOPLE, workloads)


WORLDS = {"company": company, "empty": empty, "large": large}


@lru_cache(maxsize=8)
def world(name: str, origin: date) -> World:
    return WORLDS[name](origin)


@lru_cache(maxsize=2_048)
def day_cells(name: str, origin: date, day: date) -> tuple[Cell, ...]:
    """Everything that happens on a whole day."""
    found = (_cell(work, requests_on(work, origin, day)) for work in world(name, origin).workloads)
    return tuple(cell for cell in found if cell.requests)


def _cell(work: Workload, requests: int) -> Cell:
    total = requests * work.input_per_request
    return Cell(
        work.endpoint,
        work.project_id,
        work.model,
        work.api_key_id,
        work.user_id,
        requests,
        total,
        total * work.cached_percent // 100,
        requests * work.output_per_request,
        requests * work.quantity_per_request,
    )


def slice_of(cells: Iterable[Cell], from_minute: int, to_minute: int) -> list[Cell]:
    """The part of a day's cells between two minutes of that day."""
    if from_minute <= 0 and to_minute >= MINUTES_PER_DAY:
        return list(cells)
    parts = (
        Cell(
            cell.endpoint,
            cell.project_id,
            cell.model,
            cell.api_key_id,
            cell.user_id,
            *(
                share(total, from_minute, to_minute)
                for total in (
                    cell.requests,
                    cell.input_tokens,
                    cell.cached_tokens,
                    cell.output_tokens,
                    cell.quantity,
                )
            ),
        )
        for cell in cells
    )
    return [part for part in parts if part.requests or part.input_tokens or part.output_tokens or part.quantity]


def created_on(world: World, project: Project) -> date:
    return world.origin + timedelta(days=project.created_after_days)
