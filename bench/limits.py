"""The limit for streams: a relay that only carries bytes, in the same language and without a web server.

    python -m bench.limits --upstream 127.0.0.1:9000 --port 0

What a gateway in Python costs beyond this, it spends on HTTP, events, money and records. Prints its port first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys


class Side(asyncio.Protocol):
    """One end of a relayed connection: what it hears, the other end says."""

    def __init__(self, other: Side | None = None) -> None:
        self.other = other
        self.transport: asyncio.Transport | None = None
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._waiting:
            transport.write(self._waiting)
            self._waiting = b""

    def say(self, data: bytes) -> None:
        if self.transport is None:
            self._waiting += data
        else:
            self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.say(data)

    def connection_lost(self, _: Exception | None) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()


class Front(Side):
    """The client's end: opens the way to the upstream."""

    def __init__(self, host: str, port: int, opening: set[asyncio.Task[None]]) -> None:
        super().__init__()
        self._host, self._port, self._opening = host, port, opening

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        back = Side(self)
        self.other = back
        task = asyncio.create_task(self._open(back))
        self._opening.add(task)  # a task nobody holds may be collected before it ran
        task.add_done_callback(self._opening.discard)

    async def _open(self, back: Side) -> None:
        await asyncio.get_running_loop().create_connection(lambda: back, self._host, self._port)


async def serve(port: int, upstream: str) -> None:
    host, _, number = upstream.rpartition(":")
    opening: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Front(host, int(number), opening), "127.0.0.1", port, backlog=2_048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(given: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.limits", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--upstream", required=True, help="host:port")
    parser.add_argument("--core", type=int, help="the only core to run on")
    told = parser.parse_args(given)
    if told.core is not None:
        os.sched_setaffinity(0, {told.core})
    asyncio.run(serve(told.port, told.upstream))


if __name__ == "__main__":
    main(sys.argv[1:])
