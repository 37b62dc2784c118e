"""What has been recorded of one answer, in this process's memory, and everybody who is listening to it.

Laws: only recorded text gets onto the tape, so whoever hears it may be charged for it; a listener that comes late or
again starts at any character; the last listener's leaving is noticed, because a bound answer ends with it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator

from tokenboard.core import clock
from tokenboard.metering.bell import Bell
from tokenboard.metering.stream_events import Delta, Ended, Heartbeat, StreamEvent

HEARTBEAT_SECONDS = 15.0
# A gone reader is noticed at the second write after it left: two of these, and its upstream is stopped within 15 s.
BOUND_HEARTBEAT_SECONDS = 5.0
_HEARTBEAT = Heartbeat()


class Tape:
    """One writer, any number of listeners."""

    def __init__(self, *, is_bound: bool = False, on_left: Callable[[], None] | None = None) -> None:
        self.chars = 0
        self.ended: Ended | None = None
        self.listeners = 0
        self.left_at: float | None = None  # since when nobody listens; None while somebody does
        self._pieces: list[Delta] = []
        self._bells: list[Bell] = []
        self._behind: set[Bell] = set()  # of listeners that have not yet written what was appended last
        self._is_bound = is_bound
        self._on_left = on_left
        self._heartbeat_seconds = BOUND_HEARTBEAT_SECONDS if is_bound else HEARTBEAT_SECONDS

    def append(self, delta: Delta) -> None:
        """Add what was recorded, and wake the listeners. What nobody can see (the model thinks) wakes nobody."""
        if not (delta.text or delta.events):
            return
        self._pieces.append(delta)
        self.chars = delta.to_char
        self._behind.update(self._bells)
        for bell in self._bells:
            bell.ring()

    def end(self, ended: Ended) -> None:
        """The last event. Nothing is appended after it."""
        self.ended = ended
        for bell in list(self._bells):
            bell.ring()

    @property
    def is_heard(self) -> bool:
        """Whether every listener has written on all there is: a listener that waits has written what it was given."""
        return not self._behind

    def text(self) -> str:
        """All of it so far."""
        return "".join(piece.text for piece in self._pieces)

    def listen(self, from_char: int = 0) -> Generator[StreamEvent, None, None]:
        """Every event from a character on; ends after `Ended`. Close it when the reader is gone."""
        bell = Bell()
        self._bells.append(bell)
        self.listeners += 1
        self.left_at = None
        try:
            yield from self._play(bell, max(0, from_char))
        finally:
            self._bells.remove(bell)
            self._behind.discard(bell)
            self._leave()

    def _leave(self) -> None:
        self.listeners -= 1
        if self.listeners == 0:
            self.left_at = clock.monotonic()
            if self._on_left is not None:
                self._on_left()

    def _play(self, bell: Bell, position: int) -> Generator[StreamEvent, None, None]:
        index = self._index_of(position)
        while True:
            ended = self.ended  # read first: what was appended before the end is played before it
            if index < len(self._pieces):
                played, index = index, len(self._pieces)
                yield self._merged(played, index, position)
                position = self._pieces[index - 1].to_char
                if self._is_bound:
                    self._forget_events(played, index)
            elif ended is not None:
                yield ended
                return
            else:
                self._behind.discard(bell)
                if not bell.wait(self._heartbeat_seconds):
                    yield _HEARTBEAT

    def _index_of(self, position: int) -> int:
        """The first piece that goes beyond a character."""
        return bisect_right(self._pieces, position, key=_end) if position else 0

    def _merged(self, first: int, end: int, position: int) -> Delta:
        if end - first == 1 and self._pieces[first].from_char >= position:
            return self._pieces[first]
        pieces = self._pieces[first:end]
        text = "".join(piece.text for piece in pieces)
        from_char = max(position, pieces[0].from_char)
        events = tuple(event for piece in pieces for event in piece.events)
        return Delta(from_char, pieces[-1].to_char, text[from_char - pieces[0].from_char :], events)

    def _forget_events(self, first: int, end: int) -> None:
        """A bound answer has one reader, and the provider's own words are ten times as long as the text."""
        for index in range(first, end):
            piece = self._pieces[index]
            self._pieces[index] = Delta(piece.from_char, piece.to_char, piece.text)


def _end(piece: Delta) -> int:
    return piece.to_char
