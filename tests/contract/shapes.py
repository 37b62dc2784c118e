"""Compares objects by their keys, all the way down."""

from __future__ import annotations

from typing import Any


def shape_of(value: Any, free: frozenset[str]) -> Any:
    """The keys of an object, all the way down; free maps count as one thing."""
    if isinstance(value, dict):
        return {key: None if key in free else shape_of(one, free) for key, one in value.items()}
    if isinstance(value, list):
        return [shape_of(value[0], free)] if value and isinstance(value[0], dict) else []
    return None


def missing_keys(example: Any, ours: Any, path: str = "") -> list[str]:
    """The keys of the example that our object has not, where both have an object."""
    if isinstance(example, list) and isinstance(ours, list):
        return missing_keys(example[0], ours[0], f"{path}[]") if example and ours else []
    if not isinstance(example, dict) or not isinstance(ours, dict):
        return []
    lost = [f"{path}.{key}" for key in example if key not in ours]
    return lost + [
        fault for key in example if key in ours for fault in missing_keys(example[key], ours[key], f"{path}.{key}")
    ]
