"""One answer under way: upstream read, recorded, handed to listeners, settled. It lives apart from any connection.

Laws: whatever ends it (the provider, a stop, a deploy, a fault, nobody listening any more, a lost lease) it settles
once and its listeners hear one `Ended`; what was received but not recorded is neither shown nor charged by our own
count; a fault of the room above never costs the settlement.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from threading import Semaphore
from typing import Protocol

from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError as PoolTimeout

from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.metering import relay_rules, rules, service
from tokenboard.metering.bell import Bell
from tokenboard.metering.facts import OpenCall, Outcome, OutcomeKind, Settled, UsageTold
from tokenboard.metering.recorder import CallLost, Recorder, Ticket
from tokenboard.metering.stream_events import ChatFailure, Delta, Ended, StreamEvent
from tokenboard.metering.tape import Tape
from tokenboard.providers.chat_client import ChatCall, ChatClient, ChatStream, Piece
from tokenboard.providers.chat_errors import ChatError

log = logging.getLogger(__name__)

OnSettled = Callable[[Settled, str], None]
SETTLE_WITHIN_SECONDS = 20.0
SETTLE_AGAIN_SECONDS = 0.3
# A bound answer to which nobody has ever listened: the reader left before its first byte.
UNHEARD_SECONDS = 10.0

RESTARTING = ChatFailure(
    "restarting",
    "This site was restarted while the answer was being written. What had arrived is kept; send a message to go on.",
    503,
)
LOST = ChatFailure(
    "interrupted",
    "Writing the answer down took too long, so it was ended here. What had arrived is kept; send a message to go on.",
    503,
)
BROKEN = ChatFailure("internal_error", "Something broke on our side. What had arrived is kept; try again.", 500)


@dataclass(frozen=True, slots=True)
class Ending:
    """Why an answer ends."""

    kind: OutcomeKind
    error: ChatFailure | None = None
    code: str = ""
    is_counted_here: bool = False  # charge what was recorded, whatever the provider says

    @property
    def error_code(self) -> str:
        return self.error.code if self.error else self.code


STOPPED = Ending("stopped")
DEPLOYED = Ending("interrupted", RESTARTING)
GONE = Ending("stopped", code="client_gone")
LOST_LEASE = Ending("interrupted", LOST, is_counted_here=True)
PAST_BOUND = Ending("length", code="past_limit")


class Hears(Protocol):
    """What a generation tells its process: news for other processes, and that it is over."""

    def news(self, call_id: str) -> None: ...

    def ended(self, call_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What every generation of a process works with."""

    app: Flask
    recorder: Recorder
    hears: Hears
    pause_seconds: Callable[[], float]
    settling: Semaphore
    charge: Callable[[OpenCall], Callable[[int], int]]


class Generation:
    """One call from its first byte to its settlement."""

    def __init__(
        self,
        desk: Desk,
        client: ChatClient,
        call: OpenCall,
        order: ChatCall,
        on_settled: OnSettled,
        *,
        is_bound: bool = False,
    ) -> None:
        self.id = call.id
        self.call = call
        self.tape = Tape(is_bound=is_bound, on_left=self._nobody_listens if is_bound else None)
        self._desk = desk
        self._client = client
        self._order = order
        self._on_settled = on_settled
        self._is_bound = is_bound
        self._ending: Ending | None = None
        self._stream: ChatStream | None = None
        self._usage: UsageTold | None = None
        self._finish_reason: str | None = None
        self._first_piece_at: datetime | None = None
        self._output_bytes = 0
        self._ticket: Ticket | None = None
        self._started_at = clock.monotonic()
        self._settle_by: float | None = None

    def listen(self, from_char: int = 0) -> Generator[StreamEvent, None, None]:
        """Every event from a character on, this process's memory telling; ends after `Ended`."""
        return self.tape.listen(from_char)

    def stop(self) -> None:
        """What has come is kept and charged, the upstream is stopped."""
        self.end(STOPPED)

    def end(self, ending: Ending, *, within_seconds: float = SETTLE_WITHIN_SECONDS) -> None:
        """End it for a reason; the first one counts. From any thread."""
        if self._settle_by is None:
            self._settle_by = clock.monotonic() + within_seconds
        if self._ending is None:
            self._ending = ending
        stream = self._stream
        if stream is not None:
            stream.close()

    # What the recorder tells, in its thread.

    def recorded(self, delta: Delta) -> None:
        self.tape.append(delta)
        self._desk.hears.news(self.id)

    def asked_to_stop(self) -> None:
        self.stop()

    def lost(self) -> None:
        self.end(LOST_LEASE)

    def looked_after(self) -> None:
        is_unheard = not self.tape.listeners and self.tape.left_at is None
        if self._is_bound and is_unheard and clock.monotonic() - self._started_at > UNHEARD_SECONDS:
            self.end(GONE)

    def is_heard(self) -> bool:
        return self.tape.is_heard

    def _nobody_listens(self) -> None:
        if self.tape.ended is None:
            self.end(GONE)

    def run(self) -> None:
        """The generation's own thread."""
        try:
            ending = self._relayed()
            self._written_out()
            self._finish(self._ending or ending)
        except Exception:  # the edge of a thread: listeners must hear an end, and the sweeper settles what is open
            log.exception("generation_fault", extra={"call_id": self.id})
            self._desk.recorder.leave(self.id)
            self._over(None, Ending("failed", BROKEN))

    def _relayed(self) -> Ending:
        """Read the upstream until something ends it."""
        try:
            self._desk.recorder.follow(self.call, self, self._desk.charge(self.call))
            with self._client.prepare(self._order) as stream:
                self._stream = stream  # from here on it can be stopped, while it is asked too
                if self._ending is None:
                    self._read(stream.open())
        except ChatError as error:
            if self._ending is None:
                log.info("chat_failed", extra={"call_id": self.id, "error": str(error)})
            return Ending("failed", _failure(error))
        except Exception:  # whatever it was: what came until now is settled and its readers hear an end
            log.exception("relay_fault", extra={"call_id": self.id})
            return Ending("failed", BROKEN)
        return Ending("length" if self._finish_reason == "length" else "ok")

    def _read(self, stream: ChatStream) -> None:
        """To the end also when it is stopped: only then is the connection given back. Raises: ChatError."""
        for piece in stream:
            if self._ending is None:
                self._take(piece)
            if piece.is_done:
                return
            stream.pause_seconds = self._desk.pause_seconds()

    def _take(self, piece: Piece) -> None:
        if piece.usage is not None:
            self._usage = piece.usage
        if piece.finish_reason:
            self._finish_reason = piece.finish_reason
        # A program hears the provider's own words, a reader the text alone: it is a tenth as long.
        events = piece.events if self._is_bound else ()
        if not (piece.text or piece.reasoning or events):
            return
        if self._first_piece_at is None and (piece.text or piece.reasoning):
            self._first_piece_at = clock.now()
        try:
            self._ticket = self._desk.recorder.record(self.call, piece.text, piece.reasoning, events)
        except CallLost:
            self.end(LOST_LEASE)
        self._output_bytes += len(piece.text) + len(piece.reasoning)
        if relay_rules.is_past_bound(self._output_bytes, self.call.max_output_tokens):
            self.end(PAST_BOUND)

    def _written_out(self) -> None:
        """Wait until everything that came is recorded, or can be no more."""
        if self._ticket is not None:
            try:
                self._ticket.wait()
            except CallLost:
                self._ending = LOST_LEASE
        self._desk.recorder.leave(self.id)

    def _finish(self, ending: Ending) -> None:
        usage = None if ending.is_counted_here else self._usage
        outcome = Outcome(ending.kind, usage, error_code=ending.error_code, first_piece_at=self._first_piece_at)
        self._over(self._settled(outcome), ending)

    def _settled(self, outcome: Outcome) -> Settled | None:
        """Settle, again and again while the database is away. None when it stayed away: the sweeper will."""
        until = self._settle_by or clock.monotonic() + SETTLE_WITHIN_SECONDS
        is_room_told = True
        while True:
            try:
                return self._settle_in_turn(outcome, until, tell_room=is_room_told)
            except (OperationalError, InterfaceError, PoolTimeout) as error:
                log.warning("settlement_waits_for_database", extra={"call_id": self.id, "error": type(error).__name__})
            except Exception:  # the room's own fault must not cost the settlement; its sweeper takes the text later
                log.exception("settlement_fault", extra={"call_id": self.id, "is_room_told": is_room_told})
                if not is_room_told:
                    return None
                is_room_told = False
                continue
            if clock.monotonic() > until:
                return None
            Bell().wait(SETTLE_AGAIN_SECONDS)

    def _settle_in_turn(self, outcome: Outcome, until: float, *, tell_room: bool) -> Settled | None:
        """So many settle at once, so that answers that end together leave connections to those that begin."""
        if not self._desk.settling.acquire(timeout=max(0.0, until - clock.monotonic())):
            return None
        try:
            return self._settle_once(outcome, tell_room=tell_room)
        finally:
            self._desk.settling.release()

    def _settle_once(self, outcome: Outcome, *, tell_room: bool) -> Settled:
        with self._desk.app.app_context():
            try:
                settled = service.settle(call_id=self.id, outcome=outcome)
                if tell_room:
                    self._on_settled(settled, self.tape.text())
                db.session.commit()
            except BaseException:
                db.session.rollback()
                raise
        return settled

    def _over(self, settled: Settled | None, ending: Ending) -> None:
        reason = settled.status if settled and settled.is_replay else ending.kind
        self.tape.end(Ended(settled, ending.error, reason))
        self._desk.hears.ended(self.id)


def charge_of(call: OpenCall, credit_value_nano: int) -> Callable[[int], int]:
    """How the recorder reckons a call's charge so far, from the bytes that are written down."""
    tariff = rules.Tariff(call.price, call.markup, credit_value_nano)
    size = rules.Size(call.prompt_bytes, call.prompt_tokens_bound)

    def micros(output_bytes: int) -> int:
        delivery = rules.Delivery(size, call.max_output_tokens, call.held_micros, output_bytes)
        return rules.watermark_micros(tariff, delivery)

    return micros


def _failure(error: ChatError) -> ChatFailure:
    return ChatFailure(error.code, error.user_message, error.status, error.retry_after_seconds)
