"""How the states of events are told on pages."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.billing.inbox_models import EventState


@dataclass(frozen=True, slots=True)
class StateWords:
    """A state as a badge."""

    label: str
    tone: str
    icon: str


STATE_WORDS: dict[str, StateWords] = {
    EventState.NEW: StateWords("new", "accent", "clock"),
    EventState.RETRY: StateWords("retrying", "warn", "rotate-ccw"),
    EventState.DEAD: StateWords("dead", "bad", "circle-alert"),
    EventState.IGNORED: StateWords("refused", "warn", "circle-x"),
    EventState.DONE: StateWords("done", "ok", "check"),
}
