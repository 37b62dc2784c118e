"""Bytes of a chat upstream, taken apart: however the blocks are cut, the same comes out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.providers.raw_upstream import LAST_CHUNK, USAGE, chunk, delta, event, stopped
from tokenboard.providers.chat_framing import BadFraming, ChunkedBody, OpenBody, SizedBody, body_of, split_head
from tokenboard.providers.chat_lines import LineSplitter, LineTooLong
from tokenboard.providers.chat_reading import PieceReader
from tokenboard.providers.chat_shapes import ChatLimits, Piece
from tokenboard.providers.chat_text import Prose, clean


def cut(data: bytes, at: list[int]) -> list[bytes]:
    """`data` in blocks that end at these places."""
    places = sorted({place % (len(data) + 1) for place in at})
    starts, ends = [0, *places], [*places, len(data)]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


cuts = st.lists(st.integers(0, 5_000), max_size=12)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), cuts)
def test_a_chunked_body_is_the_same_however_it_is_cut(contents: list[bytes], at: list[int]):
    wire = b"".join(b"%X;ext=1\r\n%b\r\n" % (len(one), one) for one in contents) + b"0\r\nTrailer: x\r\n\r\n"
    body = ChunkedBody()

    assert b"".join(body.feed(block) for block in cut(wire, at)) == b"".join(contents)
    assert body.is_over
    assert not body.has_leftover


@pytest.mark.parametrize("wire", [b"zz\r\n", b"-1\r\n", b"123456789\r\n", b"3\r\nabcd\r\n", b"\r\n", b"1" * 5_000])
def test_a_chunk_that_is_none_is_refused(wire: bytes):
    with pytest.raises(BadFraming):
        ChunkedBody().feed(wire)


def test_a_body_that_ends_early_is_no_body():
    sized, chunked, endless = SizedBody(5), ChunkedBody(), OpenBody()
    sized.feed(b"1234")
    chunked.feed(b"4\r\n12")
    endless.feed(b"12")
    endless.end()

    for body in (sized, chunked):
        with pytest.raises(BadFraming):
            body.end()
    assert endless.is_over


def test_what_follows_a_body_is_not_read_and_spoils_the_connection():
    sized, chunked = SizedBody(2), ChunkedBody()

    assert sized.feed(b"12345") == b"12"
    assert chunked.feed(b"2\r\n12\r\n0\r\n\r\nHTTP/1.1 200 OK") == b"12"
    assert sized.has_leftover
    assert chunked.has_leftover


def test_a_head_is_read_with_what_follows_and_interim_answers_are_skipped():
    head, rest = split_head(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n"
        b"Vary: a\r\nvary: b\r\n\r\nbody"
    )

    assert (head.status, head.media_type, head.headers["vary"], rest) == (200, "text/event-stream", "a, b", b"body")
    assert split_head(b"HTTP/1.1 200 OK\r\n") is None


@pytest.mark.parametrize("wire", [b"SSH-2.0-x\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"])
def test_a_head_that_is_none_is_refused(wire: bytes):
    with pytest.raises(BadFraming):
        split_head(wire)


@pytest.mark.parametrize(
    "header", [b"Transfer-Encoding: gzip, chunked", b"Content-Length: -1", b"Content-Length: 1, 2"]
)
def test_a_body_nobody_could_delimit_is_refused(header: bytes):
    head, _ = split_head(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\n")

    with pytest.raises(BadFraming):
        body_of(head)


@given(
    st.lists(st.sampled_from(["data: é", "", ": ping", "x" * 50, "event: e"])),
    st.lists(st.sampled_from(["\n", "\r\n"]), min_size=1),
    cuts,
)
def test_lines_are_the_same_however_the_blocks_are_cut(lines: list[str], ends: list[str], at: list[int]):
    wire = "".join(line + ends[n % len(ends)] for n, line in enumerate(lines)).encode()
    splitter = LineSplitter(1_000)

    found = [line for block in cut(wire, at) for line in splitter.feed(block)]

    assert found == [line.encode() for line in lines]
    assert splitter.last() == b""


def test_a_bare_carriage_return_ends_a_line_too():
    splitter = LineSplitter(100)

    assert splitter.feed(b"a\rb\r") + splitter.feed(b"\nc\r") + splitter.feed(b"d\n") == [b"a", b"b", b"c", b"d"]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory():
    splitter = LineSplitter(1_000)
    for _ in range(10):
        splitter.feed(b"x" * 100)

    with pytest.raises(LineTooLong):
        splitter.feed(b"x")


EVENTS = [
    delta("", role="assistant"),
    delta("Grüße 👋 "),
    delta("世界"),
    delta(reasoning_content="hm"),
    stopped(),
    USAGE,
]


def merged(pieces: list[Piece | None]) -> tuple[Any, ...]:
    kept = [piece for piece in pieces if piece]
    return (
        "".join(piece.text for piece in kept),
        "".join(piece.reasoning for piece in kept),
        [piece.finish_reason for piece in kept if piece.finish_reason],
        [piece.usage for piece in kept if piece.usage],
        [payload for piece in kept for payload in piece.events],
        [piece.is_done for piece in kept][-1:],
    )


@given(cuts)
def test_an_answer_reads_the_same_however_the_network_cuts_it(at: list[int]):
    wire = b": ping\n\n" + b"".join(event(one) for one in EVENTS) + b"data: [DONE]\n\n"
    whole, split = PieceReader(ChatLimits(), 100), PieceReader(ChatLimits(), 100)

    told = merged([whole.feed(wire)])

    assert merged([split.feed(block) for block in cut(wire, at)]) == told
    assert told[0] == "Grüße 👋 世界"
    assert len(told[4]) == len(EVENTS)
    assert told[5] == [True]


@given(cuts)
def test_chunks_and_lines_may_both_be_cut_anywhere(at: list[int]):
    wire = b"".join(chunk(one) for one in EVENTS) + chunk(b"[DONE]") + LAST_CHUNK
    body, reader = ChunkedBody(), PieceReader(ChatLimits(), 100)

    assert merged([reader.feed(body.feed(block)) for block in cut(wire, at)])[0] == "Grüße 👋 世界"


@given(st.text(alphabet=st.characters(), max_size=40), st.lists(st.integers(0, 80), max_size=6))
def test_text_that_arrives_in_halves_of_characters_is_whole_again(text: str, at: list[int]):
    units = clean(text).encode("utf-16-le")
    halves = [units[n : n + 2].decode("utf-16-le", "surrogatepass") for n in range(0, len(units), 2)]
    prose = Prose()
    pieces = [prose.join([half]) for half in halves]

    assert "".join(pieces) + prose.join([], is_last=True) == clean(text)


def test_text_that_cannot_be_kept_is_mended():
    assert clean("a\x00b\x1b[31m\tc\n\x7f") == "ab[31m\tc\n"
    assert clean("\ud83d\ude00") == "😀"
    assert Prose().join(["half \ud83d"], is_last=True) == "half �"
    clean("\udfff\ud800").encode()
