"""A streamed answer under way: iterate for pieces, close to stop the upstream.

One wake-up, one read, one Piece: everything that had arrived. With `pause_seconds` set, each read after the first
piece waits that long before it looks, so that several events come together; the first is never delayed.

`close` may come from any thread or greenlet at any moment, also while the answer has not begun. The upstream's
connection then ends at once and the iteration ends as if the answer had: stopping is no failure.
"""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Self

from tokenboard.core import clock
from tokenboard.providers.chat_admission import EVENT_STREAM, admit
from tokenboard.providers.chat_errors import ChatBadAnswer, ChatError, ChatTimedOut, StreamCut
from tokenboard.providers.chat_exchange import Exchange, Interrupted
from tokenboard.providers.chat_framing import Head
from tokenboard.providers.chat_reading import PieceReader
from tokenboard.providers.chat_record import CallRecord
from tokenboard.providers.chat_shapes import ChatLimits, Piece

log = logging.getLogger(__name__)


class ChatStream:
    """One streamed answer. Opened by `ChatClient.stream`; by hand (`open`) after `ChatClient.prepare`."""

    def __init__(
        self, exchange: Exchange, reader: PieceReader, limits: ChatLimits, record: CallRecord, secret: str
    ) -> None:
        self.pause_seconds: float = 0
        self.headers: dict[str, str] = {}  # of the answer, names in lower case
        self._exchange = exchange
        self._reader = reader
        self._limits = limits
        self._record = record
        self._secret = secret
        self._head: Head | None = None
        self._begun = self._last_line_at = 0.0
        self._lines_counted = 0
        self._has_given = False
        self._is_over = False

    def open(self) -> Self:
        """Ask, and wait for the head of the answer. Raises: ChatError. Closed meanwhile: an empty stream."""
        self._begun = self._last_line_at = clock.monotonic()
        try:
            self._head = self._exchange.begin(self._begun + self._limits.first_byte_seconds)
            self._record.status = self._head.status
            admit(self._exchange, self._head, EVENT_STREAM, self._secret)
        except Interrupted:
            self._finish(is_whole=False)
        except ChatError as error:
            raise self._failed(error) from error.__cause__
        else:
            self.headers = dict(self._head.headers)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        """What the next read brings. Raises: ChatError when the answer breaks."""
        if self._has_given and self.pause_seconds > 0 and not self._is_over:
            time.sleep(self.pause_seconds)
        while not self._is_over:
            piece = self._read()
            if piece is not None:
                self._has_given = True
                self._record.note_piece(self._begun)
                return piece
        raise StopIteration

    def _read(self) -> Piece | None:
        if self._reader.failure is not None:
            raise self._failed(self._reader.failure)
        if self._reader.is_done:
            self._finish(is_whole=True)
            return None
        if self._exchange.is_over:
            return self._concluded()
        try:
            block = self._exchange.next_block(self._until())
        except Interrupted:
            self._finish(is_whole=False)
            return None
        except ChatError as error:
            self._break(error)
            return None
        return self._fed(block) if block else None

    def _fed(self, block: bytes) -> Piece | None:
        piece = self._reader.feed(block)
        if self._reader.lines_seen != self._lines_counted:
            self._lines_counted = self._reader.lines_seen
            self._last_line_at = clock.monotonic()
        return piece

    def _until(self) -> float:
        """How long the next line may be waited for."""
        limits = self._limits
        if not self._lines_counted:
            wait = limits.first_byte_seconds
        elif self._reader.has_finished:
            wait = limits.ending_seconds
        else:
            wait = limits.silence_seconds
        return min(self._last_line_at + wait, self._begun + limits.stream_seconds)

    def _break(self, error: ChatError) -> None:
        """Once the model said that it finished, what fails is only the end of the wire."""
        if not (self._reader.has_finished and isinstance(error, StreamCut | ChatTimedOut)):
            raise self._failed(error) from error.__cause__
        self._finish(is_whole=False)

    def _concluded(self) -> Piece | None:
        """The body is over and there was no [DONE]."""
        piece = self._reader.end()
        if piece is not None:
            return piece
        if self._reader.failure is None and not self._reader.has_finished and not self._reader.is_done:
            kind = StreamCut if self._reader.has_events else ChatBadAnswer
            raise self._failed(kind("it ended without an end" if self._reader.has_events else "an empty answer"))
        if self._reader.failure is None:
            self._finish(is_whole=True)
        return None

    def close(self) -> None:
        """End it. What was not read is lost; the upstream is stopped. From any thread, any number of times."""
        if self._reader.is_done:
            self._finish(is_whole=True)
        elif not self._is_over:
            self._exchange.interrupt()
            self._record.write(is_stopped=True, size_bytes=self._exchange.received_bytes)

    @property
    def is_stopped(self) -> bool:
        """Whether `close` ended it before its own end."""
        return self._exchange.is_interrupted

    def _failed(self, error: ChatError) -> ChatError:
        if self._has_given:
            error.in_mid_stream()
        self._record.failure = error
        self._finish(is_whole=self._exchange.is_over)
        return error

    def _finish(self, *, is_whole: bool) -> None:
        self._is_over = True
        self._exchange.finish(self._head, is_whole=is_whole)
        self._record.write(is_stopped=self.is_stopped, size_bytes=self._exchange.received_bytes)
