"""Reading an event stream as a client does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    id: str
    text: str

    @property
    def data(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.text)
        return read


def read_events(body: str) -> list[Event]:
    """Every event of a stream, comments left out."""
    found = []
    for block in body.split("\n\n"):
        fields: dict[str, list[str]] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            if name:
                fields.setdefault(name, []).append(value.removeprefix(" "))
        if "data" in fields:
            kind, event_id = (fields.get(name, [""])[-1] for name in ("event", "id"))
            found.append(Event(kind, event_id, "\n".join(fields["data"])))
    return found


def names(events: list[Event]) -> list[str]:
    return [event.name for event in events]


def told_text(events: list[Event]) -> str:
    """The answer as its pieces say it."""
    return "".join(event.data["content"] for event in events if event.name == "answer")


def one(events: list[Event], name: str) -> dict[str, Any]:
    (found,) = [event.data for event in events if event.name == name]
    return found
