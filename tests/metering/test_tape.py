"""What listeners of one answer hear: everything once, from any character on, whenever they come."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from hypothesis import given, strategies as st

from tests.faults.checking import wait_until
from tokenboard.metering.stream_events import Delta, Ended, Heartbeat, StreamEvent
from tokenboard.metering.tape import Tape

END = Ended(None, None, "ok")


def _tape(*pieces: str, is_over: bool = True, **more: object) -> Tape:
    tape = Tape(**more)  # type: ignore[arg-type]
    for piece in pieces:
        tape.append(Delta(tape.chars, tape.chars + len(piece), piece))
    if is_over:
        tape.end(END)
    return tape


def _heard(events: Iterator[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def test_who_comes_late_hears_everything_then_the_end():
    events = list(_tape("Good ", "morning").listen())

    assert events == [Delta(0, 12, "Good morning"), END]


@given(st.lists(st.text(min_size=1, max_size=4), max_size=8), st.integers(0, 40))
def test_from_any_character_the_rest_is_heard_once(pieces: list[str], from_char: int):
    tape = _tape(*pieces)

    assert _heard(tape.listen(from_char)) == "".join(pieces)[from_char:]


def test_an_event_id_is_the_place_to_go_on_from():
    tape = _tape("Good ", is_over=False)
    first = tape.listen()
    delta = next(first)
    tape.append(Delta(5, 12, "morning"))
    tape.end(END)

    assert isinstance(delta, Delta)
    assert _heard(first) == "morning"
    assert _heard(tape.listen(delta.to_char)) == "morning"


def test_pieces_that_came_meanwhile_are_merged():
    tape = _tape("a", is_over=False)
    events = tape.listen()
    next(events)
    for piece in "bcd":
        tape.append(Delta(tape.chars, tape.chars + 1, piece, (piece.encode(),)))

    assert next(events) == Delta(1, 4, "bcd", (b"b", b"c", b"d"))


def test_two_listeners_hear_the_same():
    tape = _tape(is_over=False)
    heard: list[str] = []
    listeners = [threading.Thread(target=lambda: heard.append(_heard(tape.listen()))) for _ in range(2)]
    for listener in listeners:
        listener.start()
    for number in range(100):
        tape.append(Delta(tape.chars, tape.chars + 2, f"{number:02d}"))
    tape.end(END)
    for listener in listeners:
        listener.join(timeout=10)

    assert heard == ["".join(f"{number:02d}" for number in range(100))] * 2


def test_silence_is_filled_with_heartbeats():
    tape = _tape(is_over=False)
    tape._heartbeat_seconds = 0.01

    assert isinstance(next(tape.listen()), Heartbeat)


def test_the_last_listener_to_leave_is_noticed():
    left: list[str] = []
    tape = _tape("a", is_over=False, is_bound=True, on_left=lambda: left.append("all"))
    first, second = tape.listen(), tape.listen()
    next(first), next(second)
    first.close()
    assert left == []
    second.close()

    assert left == ["all"]


def test_a_bound_answer_keeps_no_raw_events_once_they_are_delivered():
    tape = _tape(is_over=False, is_bound=True)
    tape.append(Delta(0, 1, "a", (b"{...}",)))
    events = tape.listen()
    assert next(events) == Delta(0, 1, "a", (b"{...}",))
    tape.append(Delta(1, 2, "b", (b"{...}",)))
    next(events)

    assert tape.text() == "ab"
    assert tape._pieces[0].events == ()


def test_thinking_wakes_nobody_but_passes_on_to_v1():
    tape = _tape(is_over=False)
    tape.append(Delta(0, 0, ""))
    tape.append(Delta(0, 0, "", (b"{thinking}",)))
    tape.append(Delta(0, 2, "ok", (b"{ok}",)))

    assert next(tape.listen()) == Delta(0, 2, "ok", (b"{thinking}", b"{ok}"))


def test_what_a_listener_has_not_written_on_is_not_heard_yet():
    tape = _tape("a", is_over=False)
    assert tape.is_heard, "nobody listens"
    listener = threading.Thread(target=lambda: list(tape.listen()))
    listener.start()
    wait_until(lambda: tape.listeners == 1 and tape.is_heard)
    slow = tape.listen()
    next(slow)
    tape.append(Delta(1, 2, "b"))
    assert not tape.is_heard
    slow.close()
    wait_until(lambda: tape.is_heard)
    tape.end(END)
    listener.join(10)

    assert tape.listeners == 0
