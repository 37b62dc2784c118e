"""Server-sent events cut into lines, block by block. Pure.

A line ends with LF, CRLF or CR; bytes of a character that was cut between two blocks stay together, because nothing is
decoded before its line is whole.
"""

from __future__ import annotations


class LineTooLong(ValueError):
    """A line without an end."""


class LineSplitter:
    """Whole lines out of blocks that begin and end anywhere."""

    def __init__(self, line_bytes_max: int) -> None:
        self._line_bytes_max = line_bytes_max
        self._rest: list[bytes] = []
        self._rest_bytes = 0
        self._ended_with_cr = False

    def feed(self, block: bytes) -> list[bytes]:
        """The lines this block completes. Raises: LineTooLong."""
        if self._ended_with_cr and block:
            block = block.removeprefix(b"\n")  # the other half of a CRLF
            self._ended_with_cr = False
        if b"\r" in block:
            self._ended_with_cr = block.endswith(b"\r")
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = block.split(b"\n")
        if lines and self._rest:
            lines[0] = b"".join((*self._rest, lines[0]))
            self._rest, self._rest_bytes = [], 0
        self._keep(rest)
        return lines

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._rest.append(rest)
            self._rest_bytes += len(rest)
            if self._rest_bytes > self._line_bytes_max:
                raise LineTooLong("a line without an end")

    def last(self) -> bytes:
        """What stands after the last line end, once nothing more comes."""
        return b"".join(self._rest)
