"""The usage endpoints' result objects. Pure: cells in, grouped results out, with the spec's keys for each endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tokenboard.sandbox.openai_world import Cell


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How one endpoint names what it counts."""

    object: str
    group_by: tuple[str, ...]
    counts: Callable[[list[Cell]], dict[str, int]]


def _requests(cells: list[Cell]) -> int:
    return sum(cell.requests for cell in cells)


def _quantity(cells: list[Cell]) -> int:
    return sum(cell.quantity for cell in cells)


def _completions(cells: list[Cell]) -> dict[str, int]:
    total, cached = sum(cell.input_tokens for cell in cells), sum(cell.cached_tokens for cell in cells)
    written = sum(cell.output_tokens for cell in cells)
    return {
        "input_tokens": total,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": 0,
        "input_uncached_tokens": total - cached,
        "output_tokens": written,
        "input_text_tokens": total,
        "output_text_tokens": written,
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
        "num_model_requests": _requests(cells),
    }


def _input_only(cells: list[Cell]) -> dict[str, int]:
    return {"input_tokens": sum(cell.input_tokens for cell in cells), "num_model_requests": _requests(cells)}


def _counted(name: str) -> Callable[[list[Cell]], dict[str, int]]:
    return lambda cells: {name: _quantity(cells), "num_model_requests": _requests(cells)}


def _web_searches(cells: list[Cell]) -> dict[str, int]:
    return {"num_model_requests": _requests(cells), "num_requests": _quantity(cells)}


_BY = ("project_id", "user_id", "api_key_id", "model")
ENDPOINTS: dict[str, Endpoint] = {
    "completions": Endpoint("completions", (*_BY, "batch", "service_tier"), _completions),
    "embeddings": Endpoint("embeddings", _BY, _input_only),
    "moderations": Endpoint("moderations", _BY, _input_only),
    "images": Endpoint("images", (*_BY, "size", "source"), _counted("images")),
    "audio_speeches": Endpoint("audio_speeches", _BY, _counted("characters")),
    "audio_transcriptions": Endpoint("audio_transcriptions", _BY, _counted("seconds")),
    "vector_stores": Endpoint("vector_stores", ("project_id",), lambda cells: {"usage_bytes": _quantity(cells)}),
    "code_interpreter_sessions": Endpoint(
        "code_interpreter_sessions", ("project_id",), lambda cells: {"num_sessions": _quantity(cells)}
    ),
    "file_search_calls": Endpoint(
        "file_searches",
        ("project_id", "user_id", "api_key_id", "vector_store_id"),
        lambda cells: {"num_requests": _requests(cells)},
    ),
    "web_search_calls": Endpoint("web_searches", (*_BY, "context_level"), _web_searches),
}
# What every cell says about itself where the world does not vary.
_CONSTANTS: dict[str, object] = {
    "batch": False,
    "service_tier": "default",
    "size": "1024x1024",
    "source": "image.generation",
    "vector_store_id": "vs_SbxHandbook",
    "context_level": "medium",
}


def results(endpoint: str, cells: Iterable[Cell], group_by: tuple[str, ...]) -> list[dict[str, Any]]:
    """One result for each combination of the asked keys; keys not asked for are null."""
    shape = ENDPOINTS[endpoint]
    groups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(tuple(_value(cell, name) for name in group_by), []).append(cell)
    return [
        {
            "object": f"organization.usage.{shape.object}.result",
            **shape.counts(members),
            **dict.fromkeys(shape.group_by),
            **dict(zip(group_by, key, strict=True)),
        }
        for key, members in groups.items()
    ]


def _value(cell: Cell, name: str) -> object:
    return _CONSTANTS[name] if name in _CONSTANTS else getattr(cell, name)
