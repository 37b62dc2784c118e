"""The recorder without a database: what it batches, what it hands on, and when a call is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy.exc import DataError, OperationalError

from tokenboard.metering.recorder import CallLost, Leases, Recorder
from tokenboard.metering.recording import Note, Verdict
from tokenboard.metering.stream_events import Delta

KEPT = Verdict(is_kept=True, is_ours=True, is_asked_to_stop=False)


@dataclass
class Call:
    id: str = "call-1"
    lease_token: str = "token"
    keeps_text: bool = True


@dataclass
class Hearing:
    """A follower that remembers."""

    deltas: list[Delta] = field(default_factory=list)
    is_stopped: bool = False
    is_lost: bool = False
    has_heard: bool = True

    def recorded(self, delta: Delta) -> None:
        self.deltas.append(delta)

    def asked_to_stop(self) -> None:
        self.is_stopped = True

    def lost(self) -> None:
        self.is_lost = True

    def looked_after(self) -> None:
        pass

    def is_heard(self) -> bool:
        return self.has_heard


class Slate:
    """Stands for the database: takes each tick, or does not."""

    def __init__(self) -> None:
        self.ticks: list[list[Note]] = []
        self.faults: list[Exception] = []
        self.verdict = KEPT
        self.followed: list[tuple[Recorder, str]] = []
        self.may_write = threading.Event()
        self.may_write.set()

    def write(self, notes: Sequence[Note]) -> dict[str, Verdict]:
        assert self.may_write.wait(10)
        if self.faults:
            raise self.faults.pop(0)
        if any("poison" in note.text for note in notes):
            raise DataError("INSERT", {}, Exception())
        self.ticks.append(list(notes))
        return {note.call_id: self.verdict for note in notes}


@pytest.fixture
def slate() -> Iterator[Slate]:
    """Its recorders' threads go on after a test, and then sleep."""
    made = Slate()
    yield made
    for recorder, call_id in made.followed:
        recorder.leave(call_id)


LEASES = Leases()


def _following(slate: Slate, *calls: Call, leases: Leases = LEASES) -> tuple[Recorder, list[Hearing]]:
    recorder = Recorder(slate.write, leases)
    hearings = [Hearing() for _ in calls]
    for call, hearing in zip(calls, hearings, strict=True):
        slate.followed.append((recorder, call.id))
        recorder.follow(call, hearing, lambda output_bytes: output_bytes * 10)
    return recorder, hearings


def test_nothing_is_handed_on_before_it_is_written(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    slate.may_write.clear()
    ticket = recorder.record(call, "Good ")
    assert hearing.deltas == []
    slate.may_write.set()

    assert ticket.wait().to_char == 5
    assert hearing.deltas == [Delta(0, 5, "Good ")]
    assert [(note.text, note.output_bytes, note.watermark_micros) for note in slate.ticks[-1]] == [("Good ", 5, 50)]


def test_what_comes_while_a_tick_is_written_shares_the_next(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    slate.may_write.clear()
    recorder.record(call, "a")
    tickets = [recorder.record(call, letter) for letter in "bcdefgh"]
    slate.may_write.set()
    tickets[-1].wait()

    assert "".join(delta.text for delta in hearing.deltas) == "abcdefgh"
    assert len(hearing.deltas) <= 2


def test_one_tick_serves_all_calls(slate: Slate):
    calls = [Call(f"call-{number}") for number in range(20)]
    recorder, _ = _following(slate, *calls)
    slate.may_write.clear()
    tickets = [recorder.record(call, "x") for call in calls]
    slate.may_write.set()
    for ticket in tickets:
        ticket.wait()

    assert len([tick for tick in slate.ticks if any(note.text for note in tick)]) <= 2


def test_a_database_that_is_away_delays_and_loses_nothing(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    slate.faults = [OperationalError("UPDATE", {}, Exception()) for _ in range(2)]
    recorder.record(call, "Good ")
    recorder.record(call, "morning").wait()

    assert "".join(delta.text for delta in hearing.deltas) == "Good morning"
    assert not hearing.is_lost


def test_a_tick_that_has_to_be_repeated_writes_the_same_place(slate: Slate):
    call = Call()
    recorder, _ = _following(slate, call)
    recorder.record(call, "Good ").wait()
    slate.faults = [OperationalError("UPDATE", {}, Exception())]
    recorder.record(call, "morning").wait()

    assert {note.from_char for tick in slate.ticks for note in tick if note.text} == {0, 5}


def test_a_call_that_is_not_ours_any_more_is_lost(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    slate.verdict = Verdict(is_kept=False, is_ours=False, is_asked_to_stop=False)

    with pytest.raises(CallLost):
        recorder.record(call, "x").wait()
    assert hearing.is_lost
    assert hearing.deltas == []
    with pytest.raises(CallLost):
        recorder.record(call, "y")


def test_a_lost_call_that_has_not_left_yet_wakes_nobody(slate: Slate):
    call = Call()
    recorder, _ = _following(slate, call, leases=Leases(renew_seconds=0.0))
    slate.verdict = Verdict(is_kept=False, is_ours=False, is_asked_to_stop=False)

    with pytest.raises(CallLost):
        recorder.record(call, "x").wait()
    assert recorder._idle_seconds() > 1


def test_a_row_that_somebody_holds_is_written_at_the_next_tick(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    slate.verdict = Verdict(is_kept=False, is_ours=True, is_asked_to_stop=False)
    ticket = recorder.record(call, "x")
    assert not hearing.is_lost
    slate.verdict = KEPT
    recorder._bell.ring()

    assert ticket.wait().to_char == 1


def test_the_next_step_waits_until_the_last_one_was_written_on(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    recorder.record(call, "Good ").wait()
    hearing.has_heard = False
    ticket = recorder.record(call, "morning")
    assert recorder.tick() is not None
    assert [delta.text for delta in hearing.deltas] == ["Good "]
    hearing.has_heard = True

    ticket.wait()
    assert [delta.text for delta in hearing.deltas] == ["Good ", "morning"]


def test_a_slow_listener_holds_a_step_up_only_so_long(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    recorder.record(call, "Good ").wait()
    hearing.has_heard = False

    assert recorder.record(call, "morning").wait().to_char == 12


def test_who_is_asked_to_stop_hears_it(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    slate.verdict = Verdict(is_kept=True, is_ours=True, is_asked_to_stop=True)
    recorder.record(call, "x").wait()

    assert hearing.is_stopped


def test_one_call_the_database_refuses_does_not_hold_up_the_others(slate: Slate):
    calls = [Call("call-1"), Call("call-2")]
    recorder, [first, second] = _following(slate, *calls, leases=Leases(seconds=0.5))
    poisoned = recorder.record(calls[0], "poison")
    recorder.record(calls[1], "good").wait()

    with pytest.raises(CallLost):
        poisoned.wait()
    assert [delta.text for delta in second.deltas] == ["good"]
    assert first.deltas == []


def test_text_that_no_database_takes_is_made_writable(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call)
    recorder.record(call, "a\x00b\ud800é", reasoning="hmm").wait()

    assert hearing.deltas[0].text == "a\ufffdb?é"
    assert slate.ticks[-1][0].output_bytes == len("a\ufffdb?é".encode()) + 3


def test_leases_are_renewed_in_silence(slate: Slate):
    call = Call()
    recorder, [hearing] = _following(slate, call, leases=Leases(renew_seconds=0.05))
    renewed = threading.Event()
    hearing.looked_after = renewed.set  # type: ignore[method-assign]

    assert renewed.wait(5)
    assert all(note.renews_lease and not note.text for tick in slate.ticks for note in tick)
    recorder.leave(call.id)
