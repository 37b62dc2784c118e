"""What keys and people are called on usage pages, in JSON and in files: read once a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tokenboard.keys import name_queries
from tokenboard.metering.usage_trends import Choices


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id. What has none is called by the beginning of its id."""

    keys: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)

    def key(self, key_id: str | None) -> str:
        return "" if key_id is None else self.keys.get(key_id) or f"Key {key_id[:8]}"

    def person(self, person_id: str | None) -> str:
        return "" if person_id is None else self.people.get(person_id) or f"Somebody who has left ({person_id[:8]})"


def names(workspace_id: str, found: Choices) -> Names:
    """One query, for the keys."""
    return Names(name_queries.names(workspace_id), found.people)
