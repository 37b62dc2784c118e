"""What the matrix sends to one route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sampled:
    """What to send. `names_workspace`: the request itself says whose it is, so a stranger gets 404."""

    ids: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)
    json: dict[str, Any] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    names_workspace: bool = False
