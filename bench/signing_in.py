"""Somebody signs in every so often, at an address of their own each time: what streams must not feel."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import threading
from collections.abc import Iterator

_numbers = itertools.count(2)


@contextlib.contextmanager
def every(seconds: float, port: int) -> Iterator[None]:
    """While the block runs. The password is wrong, which costs the same hash."""
    stopping = threading.Event()

    def sign_in_again_and_again() -> None:
        while not stopping.wait(seconds):
            threading.Thread(target=_sign_in, args=(port,), daemon=True).start()

    thread = threading.Thread(target=sign_in_again_and_again)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _sign_in(port: int) -> None:
    number = next(_numbers)
    source = (f"127.0.{number // 250}.{number % 250 + 2}", 0)
    body = json.dumps({"email": f"bench-{number}@example.com", "password": "not this one"})
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, 30, source)) as connection:
        connection.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
