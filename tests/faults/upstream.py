"""`python -m tests.faults.upstream PORT`: an OpenAI-compatible upstream whose text is known to the character.

The model's name says how many pieces it sends and how many milliseconds apart: `words-60-20`. Usage comes at the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def word(number: int) -> str:
    """The piece with this number; the same in every answer."""
    return f"w{number:04d} "


def script(model: str) -> str:
    """The whole text of a model's answer."""
    return "".join(word(number) for number in range(_shape(model)[0]))


def _shape(model: str) -> tuple[int, int]:
    _, pieces, milliseconds = model.split("-")
    return int(pieces), int(milliseconds)


def _framed(event: dict[str, Any] | str) -> bytes:
    line = f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(line), line)


def _delta(model: str, delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _framed({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": model, "choices": [choice]})


async def _answer(model: str, writer: asyncio.StreamWriter) -> None:
    pieces, milliseconds = _shape(model)
    writer.write(_HEAD)
    due = asyncio.get_running_loop().time()
    for number in range(pieces):
        due += milliseconds / 1000
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        writer.write(_delta(model, {"content": word(number)}))
        await writer.drain()
    writer.write(_delta(model, {}, "stop"))
    usage = {"prompt_tokens": 12, "completion_tokens": 2 * pieces, "total_tokens": 12 + 2 * pieces}
    writer.write(_framed({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": usage}))
    writer.write(_framed("[DONE]") + b"0\r\n\r\n")
    await writer.drain()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(lengths[0].partition(b":")[2]) if lengths else 0)
            if body:
                await _answer(json.loads(body)["model"], writer)
            else:
                writer.write(_NOTHING)  # the worker asks for a list of models now and then
    except (asyncio.IncompleteReadError, ConnectionError):
        return  # whoever asked has gone
    finally:
        writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, backlog=1_024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
