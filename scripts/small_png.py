"""Makes a screenshot small: at most 256 colours, the frequent ones kept as they are, and packed as tightly as zlib can.

Reads what Chromium writes (8 bits a channel, RGB or RGBA, not interlaced) with the standard library alone.
Source: w3.org/TR/png-3, read 2026-11-28.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_COLOURS = 256
_NEAR = 0xF8  # colours that differ in the last three bits only are one, where there are too many
Colour = tuple[int, int, int]


def shrunk(png: bytes) -> bytes:
    """The same picture as a palette PNG."""
    width, height, channels, packed = _read(png)
    rows = _unfiltered(zlib.decompress(packed), width, height, channels)
    pixels = [_colours(row, channels) for row in rows]
    palette, place = _palette(Counter(colour for row in pixels for colour in row))
    lines = b"".join(b"\0" + bytes(place[colour] for colour in row) for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    table = b"".join(bytes(colour) for colour in palette)
    parts = ((b"IHDR", head), (b"PLTE", table), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, body) for name, body in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _read(png: bytes) -> tuple[int, int, int, bytes]:
    """Width, height, bytes a pixel, and the packed lines. Raises: ValueError for another kind of picture."""
    head, packed = b"", b""
    for name, body in _chunks(png):
        head = body if name == b"IHDR" else head
        packed += body if name == b"IDAT" else b""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if depth != 8 or kind not in (2, 6) or interlaced:
        raise ValueError("not a picture as Chromium writes them")
    return width, height, 3 if kind == 2 else 4, packed


def _unfiltered(lines: bytes, width: int, height: int, step: int) -> Iterator[bytearray]:
    """The rows, each told from its neighbours as the filter byte before it says."""
    length = width * step
    above = bytearray(length)
    for number in range(height):
        start = number * (length + 1)
        row = bytearray(lines[start + 1 : start + 1 + length])
        _FILTERS[lines[start]](row, above, step)
        yield row
        above = row


def _plain(row: bytearray, above: bytearray, step: int) -> None:
    return


def _left(row: bytearray, above: bytearray, step: int) -> None:
    for at in range(step, len(row)):
        row[at] = (row[at] + row[at - step]) & 255


def _up(row: bytearray, above: bytearray, step: int) -> None:
    for at in range(len(row)):
        row[at] = (row[at] + above[at]) & 255


def _average(row: bytearray, above: bytearray, step: int) -> None:
    for at in range(len(row)):
        left = row[at - step] if at >= step else 0
        row[at] = (row[at] + (left + above[at]) // 2) & 255


def _paeth(row: bytearray, above: bytearray, step: int) -> None:
    for at in range(len(row)):
        left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
        guess = left + above[at] - corner
        nearest = min(
            (abs(guess - left), 0, left), (abs(guess - above[at]), 1, above[at]), (abs(guess - corner), 2, corner)
        )
        row[at] = (row[at] + nearest[2]) & 255


_FILTERS = (_plain, _left, _up, _average, _paeth)


def _colours(row: bytearray, step: int) -> list[Colour]:
    return list(zip(row[0::step], row[1::step], row[2::step], strict=True))


def _palette(counted: Counter[Colour]) -> tuple[list[Colour], dict[Colour, int]]:
    """The colours that are kept, and which of them stands for each."""
    kept: list[Colour] = []
    near: dict[Colour, int] = {}
    for colour, _ in counted.most_common():
        mark = _mark(colour)
        if mark not in near and len(kept) < _MOST_COLOURS:
            near[mark] = len(kept)
            kept.append(colour)
    return kept, {colour: _place(colour, near, kept) for colour in counted}


def _place(colour: Colour, near: dict[Colour, int], kept: list[Colour]) -> int:
    found = near.get(_mark(colour))
    return _nearest(colour, kept) if found is None else found


def _mark(colour: Colour) -> Colour:
    return colour[0] & _NEAR, colour[1] & _NEAR, colour[2] & _NEAR


def _nearest(colour: Colour, kept: list[Colour]) -> int:
    def distance(place: int) -> int:
        one = kept[place]
        return (one[0] - colour[0]) ** 2 + (one[1] - colour[1]) ** 2 + (one[2] - colour[2]) ** 2

    return min(range(len(kept)), key=distance)
