"""The recorder: one thread a process that writes what all answers have brought, before anybody may see it.

Laws: one short transaction a tick for all calls; nothing is handed on to a listener before its tick has committed, and
the next step of a call waits until its listeners have written the last one, so that a process that dies has recorded
at most one step more than it has delivered; no connection is held between ticks; while the database is away what came
waits here, nothing is delivered, and it is tried again until a call's lease is over: then the call is lost to us, and
the sweeper settles it from its row. A tick also renews leases and brings back who was asked to stop.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from tokenboard.core import clock
from tokenboard.metering.bell import Bell
from tokenboard.metering.recording import LEASE_SECONDS, Note, Verdict, writable
from tokenboard.metering.relay_rules import tick_seconds
from tokenboard.metering.stream_events import Delta

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.2
# First pieces do not wait for a tick, but many of them at once share one.
FIRST_PIECES_SECONDS = 0.004
# How long a slow listener may hold up the next step: its own connection is what it waits for.
HEARD_WITHIN_SECONDS = 0.25
_AGAIN_SECONDS = 0.005
_IDLE_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_NOT_NOW = Verdict(is_kept=False, is_ours=True, is_asked_to_stop=False)


@dataclass(frozen=True, slots=True)
class Leases:
    """How long a call is ours without a sign of life, and how often one is given."""

    seconds: float = LEASE_SECONDS
    renew_seconds: float = 3.0


class CallLost(Exception):
    """The call's row is no longer ours to write: it was settled elsewhere, or its lease ran out."""


class Follower(Protocol):
    """Who wants to know what the recorder learns of a call. Called in the recorder's thread: must not wait."""

    def recorded(self, delta: Delta) -> None:
        """This is committed and may be shown."""

    def asked_to_stop(self) -> None:
        """Somebody asked, in any process."""

    def lost(self) -> None:
        """The row is no longer ours."""

    def looked_after(self) -> None:
        """Every few seconds."""

    def is_heard(self) -> bool:
        """Whether all that was recorded has been written on to whoever listens."""


class Recordable(Protocol):
    """What the recorder needs of an open call."""

    @property
    def id(self) -> str: ...

    @property
    def lease_token(self) -> str: ...

    @property
    def keeps_text(self) -> bool: ...


class Recorded(NamedTuple):
    """Where a piece stands in the answer's text."""

    from_char: int
    to_char: int


class Arrived(NamedTuple):
    """One read from upstream, not yet written."""

    text: str
    output_bytes: int  # text and reasoning
    events: tuple[bytes, ...]


@dataclass(slots=True)
class Track:
    """One call as the recorder sees it."""

    call: Recordable
    follower: Follower
    charge: Callable[[int], int]  # micro-credits for so many bytes of output
    renewed_at: float
    pending: list[Arrived] = field(default_factory=list)
    arrived_chars: int = 0
    chars: int = 0  # recorded
    output_bytes: int = 0  # recorded
    stepped_at: float = 0.0
    is_lost: bool = False
    is_asked: bool = False
    bell: Bell = field(default_factory=Bell)


class Ticket:
    """A promise that a piece will be recorded."""

    __slots__ = ("_from_char", "_to_char", "_track")

    def __init__(self, track: Track, from_char: int, to_char: int) -> None:
        self._track = track
        self._from_char = from_char
        self._to_char = to_char

    def wait(self) -> Recorded:
        """Until it is committed, and everything before it. One waiter a call. Raises: CallLost."""
        track = self._track
        while track.pending and not track.is_lost:
            track.bell.wait(_LOOK_SECONDS)
        if track.is_lost:
            raise CallLost
        return Recorded(self._from_char, self._to_char)


class Recorder:
    """One a process. `write` takes a tick into the database; raises SQLAlchemyError when it did not."""

    def __init__(self, write: Callable[[Sequence[Note]], Mapping[str, Verdict]], leases: Leases = Leases()) -> None:
        self._write = write
        self._leases = leases
        self._tracks: dict[str, Track] = {}
        self._bell = Bell()
        self._first = Bell()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def follow(self, call: Recordable, follower: Follower, charge: Callable[[int], int]) -> Track:
        """Look after a call from now on: its lease, its stop flag, its text."""
        track = Track(call, follower, charge, renewed_at=clock.monotonic())
        with self._lock:
            self._tracks[call.id] = track
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()
        self._bell.ring()
        return track

    def leave(self, call_id: str) -> None:
        """Nothing more will come: the lease is not renewed any longer."""
        with self._lock:
            self._tracks.pop(call_id, None)

    def record(self, call: Recordable, text: str, reasoning: str = "", events: tuple[bytes, ...] = ()) -> Ticket:
        """Take what one read brought; returns at once. The call must be followed. Raises: CallLost."""
        track = self._tracks.get(call.id)
        if track is None or track.is_lost:
            raise CallLost
        text, output_bytes = writable(text)
        if reasoning:
            output_bytes += len(reasoning.encode("utf-8", "replace"))
        is_first = not track.output_bytes and not track.pending
        from_char = track.arrived_chars
        track.arrived_chars += len(text)
        track.pending.append(Arrived(text, output_bytes, events))
        if is_first:
            self._first.ring()
        self._bell.ring()
        return Ticket(track, from_char, track.arrived_chars)

    def _run(self) -> None:
        again_seconds: float | None = None
        while True:
            self._bell.wait(self._idle_seconds() if again_seconds is None else 0.0)
            began_at = clock.monotonic()
            try:
                again_seconds = self.tick()
            except Exception:  # the edge of a thread that must go on: a fault in one tick is logged, the next one tries
                log.exception("recorder_fault")
                again_seconds = RETRY_SECONDS
            self._rest(began_at, max(tick_seconds(len(self._tracks)), again_seconds or 0.0))

    def _rest(self, began_at: float, pause: float) -> None:
        """Let pieces gather; an answer's first one ends the rest."""
        left = began_at + pause - clock.monotonic()
        if left > 0 and self._first.wait(left):
            left = began_at + FIRST_PIECES_SECONDS - clock.monotonic()
            if left > 0:
                Bell().wait(left)

    def _idle_seconds(self) -> float:
        """Until the next lease wants to be renewed. Nobody's is whose call is lost, however long it takes to leave."""
        kept = (track.renewed_at for track in list(self._tracks.values()) if not track.is_lost)
        oldest = min(kept, default=None)
        if oldest is None:
            return _IDLE_SECONDS
        return oldest + self._leases.renew_seconds - clock.monotonic()

    def tick(self) -> float | None:
        """Write what is new and renew what is due, in one transaction. When to try again, if something has to wait."""
        began_at = clock.monotonic()
        due = began_at - self._leases.renew_seconds
        tracks = [track for track in list(self._tracks.values()) if not track.is_lost]
        unheard = {track.call.id for track in tracks if track.pending and not _may_step(track, began_at)}
        batch = [
            (track, 0 if track.call.id in unheard else len(track.pending))
            for track in tracks
            if (track.pending and track.call.id not in unheard) or track.renewed_at <= due
        ]
        if not batch:
            return _AGAIN_SECONDS if unheard else None
        notes = [_note(track, taken, renews_lease=track.renewed_at <= due) for track, taken in batch]
        verdicts = self._written(notes)
        for (track, taken), note in zip(batch, notes, strict=True):
            self._judge(track, taken, note, verdicts.get(note.call_id), began_at)
        if all(track.is_lost or verdicts.get(track.call.id, _NOT_NOW).is_kept for track, _ in batch):
            return _AGAIN_SECONDS if unheard else None
        return RETRY_SECONDS

    def _written(self, notes: list[Note]) -> Mapping[str, Verdict]:
        """The verdicts; none when the database is away."""
        try:
            return self._write(notes)
        except (OperationalError, InterfaceError) as error:
            log.warning("recorder_waits_for_database", extra={"error": type(error).__name__, "calls": len(notes)})
        except DBAPIError as error:
            log.error("recorder_refused", extra={"error": type(error).__name__, "calls": len(notes)})
            if len(notes) > 1:  # one call's fault is not the others': each by itself
                return {call_id: verdict for note in notes for call_id, verdict in self._written([note]).items()}
        except SQLAlchemyError as error:  # no connection came free in time
            log.warning("recorder_waits_for_database", extra={"error": type(error).__name__, "calls": len(notes)})
        return {}

    def _judge(self, track: Track, taken: int, note: Note, verdict: Verdict | None, began_at: float) -> None:
        if verdict is not None and verdict.is_kept:
            if note.renews_lease:
                track.renewed_at = began_at
                track.follower.looked_after()
            track.stepped_at = began_at if taken else track.stepped_at
            self._hand_on(track, taken, note)
        elif (verdict is not None and not verdict.is_ours) or began_at - track.renewed_at > self._leases.seconds:
            track.is_lost = True
            track.follower.lost()
        if verdict is not None and verdict.is_asked_to_stop and not track.is_asked:
            track.is_asked = True
            track.follower.asked_to_stop()
        track.bell.ring()

    def _hand_on(self, track: Track, taken: int, note: Note) -> None:
        if not taken:
            return
        arrived = track.pending[:taken]
        events = tuple(event for one in arrived for event in one.events)
        delta = Delta(track.chars, note.chars, _text(arrived), events)
        track.chars, track.output_bytes = note.chars, note.output_bytes
        del track.pending[:taken]
        track.follower.recorded(delta)


def _may_step(track: Track, instant: float) -> bool:
    return track.follower.is_heard() or instant - track.stepped_at > HEARD_WITHIN_SECONDS


def _note(track: Track, taken: int, *, renews_lease: bool) -> Note:
    """Where the call will stand when this tick is written."""
    arrived = track.pending[:taken]
    text = _text(arrived)
    output_bytes = track.output_bytes + sum(one.output_bytes for one in arrived)
    call = track.call
    kept = text if call.keeps_text else ""
    chars = track.chars + len(text)
    micros = track.charge(output_bytes)
    return Note(call.id, call.lease_token, chars, output_bytes, micros, renews_lease, track.chars, kept)


def _text(arrived: list[Arrived]) -> str:
    return arrived[0].text if len(arrived) == 1 else "".join(one.text for one in arrived)
