"""The load client of the stream benchmark: N streams at all times, evenly phased, each begun anew when it ends.

    python -m bench.client --url http://127.0.0.1:9000/api/chat --streams 200 --seconds 5 --body '{"message": "hi"}'

Reads the stamps of bench/upstream.py out of the bytes, whatever events carry them, and prints one JSON object: first
tokens, gaps between two arrivals, age of tokens on arrival, chunks a second, refusals, streams that lost something.
A closed loop: what is slow is asked less, so read the percentiles beside the chunks a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.histogram import Histogram
from bench.stamps import LONGEST_STAMP, STAMP

_CONNECT_SECONDS = 10
BODY = '{"model": "bench", "messages": [], "stream": true, "max_completion_tokens": 50}'
_PATIENCE_SECONDS = 60  # a stream that takes longer has lost its end


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask, how often, and how to know that an answer is whole."""

    url: str
    streams: int
    seconds: float
    warmup_seconds: float = 2.5
    body: str = BODY
    headers: tuple[str, ...] = ()
    expected_chunks: int = 50
    stream_seconds: float = 1.0  # what one lasts: its length phases the first ones
    end: str = "[DONE]"
    rest_seconds: float = 0.0  # between an answer and the next question

    def request(self) -> bytes:
        address = urlsplit(self.url)
        body = self.body.encode()
        lines = (
            f"POST {address.path or '/'} HTTP/1.1",
            f"Host: {address.netloc}",
            "Content-Type: application/json",
            "Accept: text/event-stream",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *self.headers,
        )
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Heard:
    """What was measured between `begins` and `ends`, on the monotonic clock in nanoseconds."""

    begins: int
    ends: int
    first_tokens: Histogram = field(default_factory=Histogram)
    gaps: Histogram = field(default_factory=Histogram)
    delays: Histogram = field(default_factory=Histogram)
    chunks: int = 0
    reads: int = 0
    whole: int = 0
    lost: int = 0
    refused: int = 0
    failed: int = 0

    def counts(self, instant: int) -> bool:
        return self.begins <= instant < self.ends

    def report(self) -> dict[str, object]:
        seconds = (self.ends - self.begins) / 1e9
        return {
            "chunks_per_second": round(self.chunks / seconds, 1),
            "reads_per_second": round(self.reads / seconds, 1),
            "first_token": self.first_tokens.summary(),
            "gap": self.gaps.summary(),
            "delay": self.delays.summary(),
            "chunks": self.chunks,
            "whole": self.whole,
            "lost": self.lost,
            "refused": self.refused,
            "failed": self.failed,
        }


class Listener(asyncio.Protocol):
    """One stream."""

    def __init__(self, load: Load, heard: Heard, ended: asyncio.Future[None]) -> None:
        self._load, self._heard, self._ended = load, heard, ended
        self._end = load.end.encode()
        self._rest = b""
        self._begun = self._last_at = 0
        self._tokens = 0
        self._status = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._begun = time.monotonic_ns()
        transport.write(self._load.request())

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if not self._status:
            self._status = data[9:12]
        seen = self._rest + data
        at = 0
        found = 0
        for match in STAMP.finditer(seen):
            at = match.end()
            found += 1
            if self._heard.counts(now):
                self._heard.delays.add((now - int(match[1])) // 1_000)
        if found:
            self._note(now, found)
        if self._end in seen:
            self._finish()
        self._rest = seen[max(at, len(seen) - max(LONGEST_STAMP, len(self._end))) :]

    def _note(self, now: int, found: int) -> None:
        heard, is_first = self._heard, self._tokens == 0
        self._tokens += found
        if heard.counts(now):
            heard.chunks += found
            heard.reads += 1
            (heard.first_tokens if is_first else heard.gaps).add(
                (now - (self._begun if is_first else self._last_at)) // 1_000
            )
        self._last_at = now

    def connection_lost(self, _: Exception | None) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._ended.done():
            return
        if self._heard.counts(time.monotonic_ns()):
            if self._status != b"200":
                self._heard.refused += 1
            elif self._tokens == self._load.expected_chunks:
                self._heard.whole += 1
            else:
                self._heard.lost += 1
        self._ended.set_result(None)
        if self._transport:
            self._transport.close()


async def _one_after_another(load: Load, heard: Heard, delay_seconds: float) -> None:
    await asyncio.sleep(delay_seconds)
    loop, address = asyncio.get_running_loop(), urlsplit(load.url)
    host, port = address.hostname or "127.0.0.1", address.port or 80
    while time.monotonic_ns() < heard.ends:
        ended: asyncio.Future[None] = loop.create_future()
        try:
            opening = loop.create_connection(lambda: Listener(load, heard, ended), host, port)  # noqa: B023 - made at once
            transport, _ = await asyncio.wait_for(opening, _CONNECT_SECONDS)
            with contextlib.closing(transport):
                await asyncio.wait_for(ended, _PATIENCE_SECONDS)
        except (OSError, TimeoutError):
            heard.failed += heard.counts(time.monotonic_ns())
            await asyncio.sleep(0.05)
        await asyncio.sleep(load.rest_seconds)


async def _loaded(load: Load) -> Heard:
    now = time.monotonic_ns()
    begins = now + int(load.warmup_seconds * 1e9)
    heard = Heard(begins, begins + int(load.seconds * 1e9))
    phases = (n * load.stream_seconds / load.streams for n in range(load.streams))
    running = [asyncio.create_task(_one_after_another(load, heard, phase)) for phase in phases]
    await asyncio.sleep(load.warmup_seconds + load.seconds)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return heard


def main(given: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.client", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--warmup", type=float, default=2.5)
    parser.add_argument("--body", default=BODY)
    parser.add_argument("--header", action="append", default=[], help="as it stands in the request; may come again")
    parser.add_argument("--expect", type=int, default=50, help="stamps in a whole answer")
    parser.add_argument("--stream-seconds", type=float, default=1.0)
    parser.add_argument("--end", default="[DONE]", help="what stands at the end of a whole answer")
    parser.add_argument("--rest", type=float, default=0.0, help="seconds between an answer and the next question")
    parser.add_argument("--core", type=int, help="the only core to run on")
    told = parser.parse_args(given)
    if told.core is not None:
        os.sched_setaffinity(0, {told.core})
    load = Load(
        told.url,
        told.streams,
        told.seconds,
        told.warmup,
        told.body,
        tuple(told.header),
        told.expect,
        told.stream_seconds,
        told.end,
        told.rest,
    )
    print(json.dumps(asyncio.run(_loaded(load)).report()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
