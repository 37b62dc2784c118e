"""HTTP/1.1 answers taken apart, block by block: a head, then a body by chunks, by length or until the end.

Pure: bytes in, bytes out, no sockets. Written by hand because a stream must take everything a read brought at once
and wake up only once for it; http.client gives one chunk a call (reference "Performance", A2 and A3: 30–40 % of the
CPU of a chunk). Laws: nothing is decompressed, sizes are bounded, what follows the end of a body is never used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
_SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,8})\r\n")
_STATUS_LINE = re.compile(r"HTTP/1\.[01] (\d{3})(?: .*)?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAME_LINE_MAX = 4_096  # a chunk's size line or a trailer


class BadFraming(ValueError):
    """These bytes are no HTTP/1.1 answer, or it was cut."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers; names in lower case, repeated ones joined by commas."""

    status: int
    headers: Mapping[str, str]

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_compressed(self) -> bool:
        return self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")

    @property
    def may_stay_open(self) -> bool:
        return "close" not in self.headers.get("connection", "").lower()


def split_head(received: bytes) -> tuple[Head, bytes] | None:
    """The head and what follows it; None while it is not whole. Skips interim answers (1xx). Raises: BadFraming."""
    while True:
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head, received = _head(received[:end]), received[end + 4 :]
        if head.status >= 200:
            return head, received


def _head(raw: bytes) -> Head:
    first, *lines = raw.decode("latin-1").split("\r\n")
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise BadFraming("no status line")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise BadFraming("a header is malformed")
        key, value = name.lower(), value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return Head(int(status[1]), headers)


class Body(Protocol):
    """How the bytes after the head are to be read."""

    is_over: bool
    has_leftover: bool  # bytes came after the end: whoever sends them is not to be trusted with another request

    def feed(self, block: bytes) -> bytes:
        """What of this block belongs to the content. Raises: BadFraming."""
        ...

    def end(self) -> None:
        """The connection has ended. Raises: BadFraming when the body had not."""
        ...


def body_of(head: Head) -> Body:
    """The body this head announces. Raises: BadFraming."""
    coding = head.headers.get("transfer-encoding", "").strip().lower()
    if coding:
        if coding != "chunked":
            raise BadFraming("an unknown transfer coding")
        return ChunkedBody()
    length = head.headers.get("content-length")
    if head.status in (204, 304):
        return SizedBody(0)
    if length is None:
        return OpenBody()
    if not (length.isascii() and length.isdigit() and len(length) <= 12):
        raise BadFraming("a content length that is none")
    return SizedBody(int(length))


class SizedBody:
    """A body of a stated length."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.is_over = length == 0
        self.has_leftover = False

    def feed(self, block: bytes) -> bytes:
        taken = block[: self._left]
        self._left -= len(taken)
        self.is_over = self._left == 0
        self.has_leftover = self.has_leftover or len(taken) < len(block)
        return taken

    def end(self) -> None:
        if not self.is_over:
            raise BadFraming("the connection ended before the body")


class OpenBody:
    """A body that ends with the connection: whether it is whole cannot be known from the framing."""

    def __init__(self) -> None:
        self.is_over = False
        self.has_leftover = True  # the connection is used up either way

    def feed(self, block: bytes) -> bytes:
        return block

    def end(self) -> None:
        self.is_over = True


class ChunkedBody:
    """A body in chunks. Sizes, line ends and trailers are taken out; a block may begin and end anywhere."""

    def __init__(self) -> None:
        self.is_over = False
        self.has_leftover = False
        self._rest = b""  # a frame line that is not whole yet
        self._left = 0  # bytes missing of the current chunk
        self._expects = "size"  # what the next frame line is: size, gap (after a chunk) or trailer

    def feed(self, block: bytes) -> bytes:
        data = self._rest + block if self._rest else block
        self._rest = b""
        content: list[bytes] = []
        at, end = 0, len(data)
        while at < end and not self.is_over:
            if self._left:
                part = data[at : at + self._left]
                content.append(part)
                at += len(part)
                self._left -= len(part)
                continue
            if self._expects == "size":
                at = _whole_chunks(data, at, content)
            line_end = data.find(b"\n", at)
            if line_end < 0:
                self._keep(data[at:])
                at = end
            else:
                self._frame_line(data[at:line_end].removesuffix(b"\r"))
                at = line_end + 1
        self.has_leftover = self.has_leftover or at < end
        return b"".join(content)

    def _keep(self, rest: bytes) -> None:
        if len(rest) > _FRAME_LINE_MAX:
            raise BadFraming("an endless chunk size")
        self._rest = rest

    def _frame_line(self, line: bytes) -> None:
        if self._expects == "size":
            size = line.partition(b";")[0].strip()
            if not _CHUNK_SIZE.fullmatch(size):
                raise BadFraming("a chunk size that is none")
            self._left = int(size, 16)
            self._expects = "gap" if self._left else "trailer"
        elif self._expects == "gap":
            if line:
                raise BadFraming("a chunk longer than it said")
            self._expects = "size"
        elif not line:
            self.is_over = True

    def end(self) -> None:
        if not self.is_over:
            raise BadFraming("the connection ended within the body")


def _whole_chunks(data: bytes, at: int, content: list[bytes]) -> int:
    """Take the chunks that are here from their size to their line end, as nearly all are; where the next thing begins.

    Whatever is not as plain as that is left to the careful reading, which also says what is wrong.
    """
    while (size := _SIZE_LINE.match(data, at)) is not None:
        begin = size.end()
        end = begin + int(size[1], 16)
        if end == begin or data[end : end + 2] != b"\r\n":
            break
        content.append(data[begin:end])
        at = end + 2
    return at
