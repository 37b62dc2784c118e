"""How events are written: what a browser's reader of event streams makes of them is what was meant."""

from __future__ import annotations

from flask import Flask
from hypothesis import given, strategies as st

from tokenboard.web import sse


def _read(raw: bytes) -> list[dict[str, str]]:
    """A reader after the standard: fields by line, an event at each empty line, comments skipped."""
    events: list[dict[str, str]] = []
    event: dict[str, list[str]] = {}
    for line in raw.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line:
            if event:
                events.append({name: "\n".join(values) for name, values in event.items()})
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            event.setdefault(name, []).append(value.removeprefix(" "))
    return events


def test_an_event_carries_id_name_and_data():
    assert sse.event('{"a": 1}', name="answer", event_id=12) == b'id: 12\nevent: answer\ndata: {"a": 1}\n\n'


@given(st.text(st.characters(codec="utf-8")))
def test_no_data_can_end_its_event_or_begin_a_field(data: str):
    [event] = _read(sse.event(data, name="answer", event_id=3))

    assert event == {
        "id": "3",
        "event": "answer",
        "data": data.replace("\r\n", "\n").replace("\r", "\n"),
    }


def test_a_heartbeat_is_no_event():
    assert _read(sse.HEARTBEAT) == []


def test_an_answer_opens_at_once_and_is_kept_by_nobody(sqlite_app: Flask):
    with sqlite_app.test_request_context():
        answer = sse.response(iter([sse.event("hello")]))

    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert b"".join(answer.iter_encoded()) == b"retry: 1000\n\ndata: hello\n\n"


def test_a_reader_that_leaves_closes_what_it_read(sqlite_app: Flask):
    closed: list[bool] = []

    def events():
        try:
            yield b"data: 1\n\n"
            yield b"data: 2\n\n"
        finally:
            closed.append(True)

    with sqlite_app.test_request_context():
        answer = sse.response(events())
    stream = answer.iter_encoded()
    next(stream), next(stream)
    answer.close()

    assert closed == [True]


def test_a_reader_says_from_where_on(sqlite_app: Flask):
    def asked(header: str) -> int:
        with sqlite_app.test_request_context(headers={"Last-Event-ID": header}):
            return sse.last_event_id()

    assert [asked(said) for said in ("17", "", "-3", "x", "٣", "9" * 30, "9999999999")] == [
        17,
        0,
        0,
        0,
        0,
        0,
        2**31 - 1,
    ]
