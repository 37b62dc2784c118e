"""The product as it is served: gunicorn with two web processes on the test's own database, asked by many at once."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer over HTTP."""

    status: int
    json: dict[str, Any]
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A running site."""

    port: int

    def post(self, path: str, token: str, body: dict[str, Any], *, source: str) -> Answered:
        """One call of a program at its own loopback address: rate limits count by address."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, 60, (source, 0))) as connection:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            return Answered(answer.status, json.loads(answer.read()), "Idempotent-Replayed" in answer.headers)

    def post_at_once(self, path: str, token: str, bodies: Sequence[dict[str, Any]], *, source: str) -> list[Answered]:
        """All of them at the same moment, each on its own connection."""
        barrier = Barrier(len(bodies))

        def send(body: dict[str, Any]) -> Answered:
            barrier.wait()
            return self.post(path, token, body, source=source)

        with ThreadPoolExecutor(len(bodies)) as pool:
            return list(pool.map(send, bodies))


@contextlib.contextmanager
def served(app: Flask, folder: Path, **more: str) -> Iterator[Site]:
    """Two gunicorn processes, as the Procfile starts them, with this application's settings and a few more."""
    port = _free_port()
    command = [str(Path(sys.executable).parent / "gunicorn"), "-c", "gunicorn.conf.py", "wsgi:app"]
    with (folder / "web.log").open("w", encoding="utf-8") as log:
        with subprocess.Popen(command, cwd=ROOT, env=_environ(app, port) | more, stdout=log, stderr=log) as web:
            try:
                _wait_for(port)
                yield Site(port)
            finally:
                web.terminate()


def _environ(app: Flask, port: int) -> dict[str, str]:
    settings = app.extensions["settings"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
        "BASE_URL": settings.base_url,  # tokens name their site
        "DATABASE_URL": settings.database_url.replace("postgresql+psycopg://", "postgres://"),
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "JWT_SECRET": settings.jwt_secret,
        "PASSWORD_PEPPER": settings.password_pepper,
        "SANDBOX_URL": settings.sandbox_url,
        "LOG_LEVEL": "WARNING",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, 5)) as connection:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("gunicorn did not start")
        time.sleep(0.1)
