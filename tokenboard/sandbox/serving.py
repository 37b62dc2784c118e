"""Serves the sandbox over real HTTP: one thread a request, loopback only."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from tokenboard.sandbox.memory import EXTENSION

LOOPBACK = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """Says nothing about requests: whoever calls the sandbox logs the call.

    HTTP/1.1, so that a stream comes in chunks and a cut one can be told from a whole one; one packet for each piece.
    """

    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    disable_nagle_algorithm = True

    def finish(self) -> None:
        with contextlib.suppress(OSError):  # a client that left does not want the rest
            super().finish()

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


def server(app: Flask, port: int, host: str = LOOPBACK) -> BaseWSGIServer:
    """A listening server; port 0 takes any free one. Raises: OSError when the port is taken."""
    # Bound here, because werkzeug ends the whole process over a taken port; it works on its own copy of the socket.
    with socket.create_server((host, port)) as listener:
        return make_server(host, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno())


def stop(app: Flask, running: BaseWSGIServer) -> None:
    """End the server and wake whatever keeps silent."""
    app.extensions[EXTENSION].stopping.set()
    running.shutdown()


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The base URL of the app, served on a free port while the block lasts."""
    running = server(app, 0)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{running.port}"
    finally:
        stop(app, running)
        thread.join()
        running.server_close()
