"""Who reads answers in the fault tests: over HTTP as a browser does, coming back when the line breaks."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_SECONDS = 90  # a busy machine takes its time
COMES_BACK_SECONDS = 900  # while the processes it comes back to are killed as well
_BROKEN = (OSError, http.client.HTTPException, ValueError)


@dataclass(slots=True)
class Reading:
    """What one reader got of one answer."""

    status: int = 0
    call_id: str = ""
    process: int = 0  # that it is read from
    text: str = ""
    last_id: int = 0
    broken_at: list[int] = field(default_factory=list)  # characters it had each time the line broke
    story: list[str] = field(default_factory=list)  # how each line ended, for whoever looks into a fault
    end: dict[str, Any] | None = None
    began_at: float = 0.0
    ended_at: float = 0.0

    @property
    def delivered_chars(self) -> int:
        """What it had when the line broke for the first time, else all."""
        return self.broken_at[0] if self.broken_at else len(self.text)


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it came over the line."""

    name: str
    event_id: int | None
    data: dict[str, Any]


def read(port: int, wish: dict[str, Any], *, returns: bool = True, reading: Reading | None = None) -> Reading:
    """Ask for an answer and read it to its end; after a broken line come back, as long as it may take.

    `reading` is filled in as it goes, for others to look at.
    """
    reading = reading or Reading()
    reading.began_at = time.monotonic()
    _try(port, reading, "POST", "/test/answers", wish, {})
    until = time.monotonic() + COMES_BACK_SECONDS
    while returns and reading.call_id and reading.end is None and time.monotonic() < until:
        reading.broken_at.append(len(reading.text))
        time.sleep(0.2)
        came_back = {"Last-Event-ID": str(reading.last_id)}
        _try(port, reading, "GET", f"/test/answers/{reading.call_id}", None, came_back)
    reading.ended_at = time.monotonic()
    return reading


def _try(
    port: int, reading: Reading, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
) -> None:
    began_at = time.monotonic()
    how = "closed"
    try:
        _follow(port, reading, method, path, body, headers)
    except _BROKEN as error:
        how = repr(error)
    reading.story.append(f"{method} {time.monotonic() - began_at:.1f} s to {len(reading.text)} characters, {how}")


def _follow(
    port: int, reading: Reading, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)) as connection:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, headers | {"Content-Type": "application/json"})
        answer = connection.getresponse()
        reading.status = reading.status or answer.status
        if answer.status != 200:
            raise ValueError(f"status {answer.status}")
        for event in events_of(answer):
            _note(reading, event)


def _note(reading: Reading, event: Event) -> None:
    if event.name == "meta":
        reading.call_id, reading.process = event.data["call_id"], event.data["process"]
    elif event.name == "answer":
        reading.text += event.data["content"]
        assert event.event_id == len(reading.text), "an event's id is the place after its last character"
        reading.last_id = event.event_id
    elif event.name == "done":
        reading.end = event.data


def events_of(answer: http.client.HTTPResponse) -> Iterator[Event]:
    """The events of a stream as they arrive."""
    name, event_id, data = "", None, ""
    while line := answer.readline():
        word, _, value = line.decode().rstrip("\n").partition(": ")
        if word == "event":
            name = value
        elif word == "id":
            event_id = int(value)
        elif word == "data":
            data = value
        elif not line.strip() and data:
            yield Event(name, event_id, json.loads(data))
            name, event_id, data = "", None, ""


def stop(port: int, call_id: str) -> int:
    """Ask for an answer's end."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)) as connection:
        connection.request("POST", f"/test/answers/{call_id}/stop")
        return connection.getresponse().status
