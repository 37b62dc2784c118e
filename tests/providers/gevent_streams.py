"""Run by test_chat_gevent.py in a process of its own: the client on greenlets, as a gevent worker uses it."""

from __future__ import annotations

from gevent import monkey  # type: ignore[import-untyped,unused-ignore]

monkey.patch_all()

import json  # noqa: E402 - the patch comes first, as in a worker
import ssl  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import gevent  # type: ignore[import-untyped,unused-ignore]  # noqa: E402

from tokenboard.providers.chat_client import ChatCall, ChatClient, ChatStream  # noqa: E402
from tokenboard.providers.chat_wire import ChatPool  # noqa: E402

CALL = ChatCall("call-1", "m", [{"role": "user", "content": "Hello"}], 100)


def heard(stream: ChatStream) -> str:
    with stream.open():
        return "".join(piece.text for piece in stream)


def main(url: str, certificate: str) -> None:
    tls = ssl.create_default_context(cafile=certificate) if certificate else None
    client = ChatClient(url, "sk-x", pool=ChatPool(tls))
    answers = [gevent.spawn(heard, client.prepare(CALL)) for _ in range(10)]
    gevent.joinall(answers, timeout=10)
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            gevent.sleep(0.01)

    ticking = gevent.spawn(tick)
    silent = client.prepare(CALL)  # the eleventh script says nothing
    waiting = gevent.spawn(heard, silent)
    gevent.sleep(0.3)
    begun = time.monotonic()
    silent.close()
    waiting.join(timeout=5)
    ticking.kill()
    told = {
        "answers": [one.value for one in answers],
        "stopped_in_seconds": time.monotonic() - begun,
        "stopped": waiting.value,
        "ticks": ticks,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
