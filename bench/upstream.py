"""A fast upstream for the stream benchmark: OpenAI's chunks, paced, with a time stamp inside each token.

    python -m bench.upstream --chunks 50 --gap 0.02 --port 0

One loop and one timer for all streams: they are sorted into slots of a millisecond, so a thousand streams cost a
thousand writes and no timers of their own. Prints its port on the first line. Any POST is answered with a stream; GET
gives a price list with one model, so that an application can be pointed at it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping

from bench.stamps import stamp

_SLOT_SECONDS = 0.001
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"x-accel-buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"
)
# As long as OpenAI's own chunks, about 340 bytes with the stamp.
_BEFORE = (
    b'data: {"id":"chatcmpl-bench-0123456789abcdef0123456789ab","object":"chat.completion.chunk","created":1795191049,'
    b'"model":"bench","service_tier":"default","system_fingerprint":"fp_0123456789ab","choices":[{"index":0,"delta":'
    b'{"content":"'
)
_AFTER = b' "},"logprobs":null,"finish_reason":null}],"obfuscation":"0123456789abcdef","usage":null}\n\n'
_FINISH = b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'  # noqa: E501 - one event, one line
_USAGE = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","model":"bench","choices":[{"index":0,"delta":{}}],'
    b'"usage":{"prompt_tokens":12,"completion_tokens":%d,"total_tokens":%d,"cost":0.0000315}}\n\ndata: [DONE]\n\n'
)
_MODEL = {
    "model_name": "bench",
    "model_info": {
        "input_cost_per_token": 1.5e-07,
        "output_cost_per_token": 6e-07,
        "max_input_tokens": 128_000,
        "max_output_tokens": 16_384,
        "litellm_provider": "bench",
        "mode": "chat",
    },
}


def _chunked(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


class Clockwork:
    """Writes the next chunk of every stream whose slot has come."""

    def __init__(self, chunks: int, gap_seconds: float) -> None:
        self.chunks = chunks
        self._slots: list[dict[Connection, int]] = [{} for _ in range(max(1, round(gap_seconds / _SLOT_SECONDS)))]
        self._now = 0
        self._end = _chunked(_FINISH) + _chunked(_USAGE % (chunks, chunks + 12)) + b"0\r\n\r\n"

    def take(self, connection: Connection) -> None:
        """A stream begins: its first chunk comes one gap from now."""
        self._slots[self._now][connection] = self.chunks

    def forget(self, connection: Connection) -> None:
        for slot in self._slots:
            slot.pop(connection, None)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += _SLOT_SECONDS
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._now = (self._now + 1) % len(self._slots)
            slot = self._slots[self._now]
            for connection, left in list(slot.items()):
                connection.transport.write(_chunked(_BEFORE + stamp() + _AFTER))
                slot[connection] = left - 1
                if left == 1:
                    del slot[connection]
                    connection.transport.write(self._end)


class Connection(asyncio.Protocol):
    """One client; one request at a time."""

    transport: asyncio.Transport

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        self._clockwork.forget(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        self._received = b""
        if head.startswith(b"GET"):
            self._tell(_MODEL)
            return
        self.transport.write(_HEAD)
        self._clockwork.take(self)

    def _tell(self, model: Mapping[str, object]) -> None:
        body = json.dumps({"data": [model]}).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def serve(port: int, chunks: int, gap_seconds: float) -> None:
    clockwork = Clockwork(chunks, gap_seconds)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(clockwork), "127.0.0.1", port, backlog=2_048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await clockwork.run()


def main(given: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chunks", type=int, default=50)
    parser.add_argument("--gap", type=float, default=0.02, help="seconds between two chunks")
    parser.add_argument("--core", type=int, help="the only core to run on")
    told = parser.parse_args(given)
    if told.core is not None:
        os.sched_setaffinity(0, {told.core})
    asyncio.run(serve(told.port, told.chunks, told.gap))


if __name__ == "__main__":
    main(sys.argv[1:])
