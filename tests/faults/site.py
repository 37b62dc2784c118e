"""The product as it runs, for tests that kill parts of it: gunicorn with two web processes, a worker, an upstream.

The upstream is a process of its own (`tests/faults/upstream.py`), so that what it sends is known to the character.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from tests.people import People, settle
from tokenboard.core.db import db, new_id
from tokenboard.ledger import service as ledger
from tokenboard.metering.models import ModelPrice
from tokenboard.workspaces.models import Workspace

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
BIN = Path(sys.executable).parent
# The upstream's models: so many pieces, so many milliseconds apart.
SHORT, LONG, ENDLESS = "words-60-20", "words-500-20", "words-5000-20"
NANO_PER_MTOK = {"input_nano_per_mtok": 2_500_000_000, "output_nano_per_mtok": 10_000_000_000}


@dataclass(slots=True)
class Site:
    """A running product. `app` is the same database seen from the test's own process."""

    app: Flask
    people: People
    port: int
    environ: dict[str, str]
    log: Path
    web: subprocess.Popen[bytes] | None = None
    worker: subprocess.Popen[bytes] | None = None
    deaths: dict[str, int] = field(default_factory=lambda: {"web": 0, "worker": 0})

    def start_web(self) -> None:
        command = [BIN / "gunicorn", "-c", "gunicorn.conf.py", "tests.faults.door:app"]
        self.web = self._start(command)
        _wait_for(self.port)

    def start_worker(self) -> None:
        self.worker = self._start([sys.executable, "worker.py"])

    def _start(self, command: list[object]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(word) for word in command],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def web_processes(self) -> list[int]:
        """The processes that serve; gunicorn's master starts a new one for each that dies."""
        assert self.web is not None
        return _children(self.web.pid)

    def kill_web(self, process: int | None = None) -> None:
        """kill -9 one web process, any unless it is said which."""
        _kill(process or self.web_processes()[0])
        self.deaths["web"] += 1

    def kill_worker(self) -> None:
        """kill -9 the worker, and start another one, as its launcher does."""
        assert self.worker is not None
        _kill(self.worker.pid)
        self.worker.wait(10)
        self.deaths["worker"] += 1
        self.start_worker()

    def end(self) -> None:
        for process in (self.worker, self.web):
            if process is not None:
                _end(process)

    def wish(self, model: str, message: str = "Tell me something.", **more: object) -> dict[str, object]:
        """What a reader asks for, as Alice in her own workspace."""
        alice = self.people.alice
        return {"workspace_id": alice.workspace_id, "person_id": alice.id, "model": model, "message": message} | more


@contextlib.contextmanager
def site(app: Flask, folder: Path, *, has_worker: bool = True, **more: str) -> Iterator[Site]:
    """Run the product on this application's database. Alice has plenty of credits."""
    with upstream() as address:
        environ = _environ(app, address) | more
        people = settle(app)
        _stock(app, people)
        running = Site(app, people, int(environ["PORT"]), environ, folder / "site.log")
        try:
            running.start_web()
            if has_worker:
                running.start_worker()
            yield running
        finally:
            running.end()


@contextlib.contextmanager
def upstream() -> Iterator[str]:
    """The provider's stand-in, in a process of its own."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.faults.upstream", str(port)], cwd=ROOT) as process:
        try:
            _wait_until_open(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _stock(app: Flask, people: People) -> None:
    """Prices for the upstream's models, credits for Alice."""
    with app.app_context():
        for model in (SHORT, LONG, ENDLESS):
            db.session.add(ModelPrice(model=model, version=1, source="admin", max_output_tokens=8_192, **NANO_PER_MTOK))
        give(people.alice.workspace_id, 10**12)
        db.session.commit()


def give(workspace_id: str, amount_micros: int) -> None:
    """Credits for a workspace, in the current transaction."""
    ledger.grant(
        wallet_id=db.session.get_one(Workspace, workspace_id).ledger_account_id,
        amount_micros=amount_micros,
        category=ledger.Category.PAID,
        house=ledger.House.ADJUSTMENTS,
        key=new_id(),
        expires_at=None,
        description="for the test",
        source="test",
    )


def _environ(app: Flask, upstream_url: str) -> dict[str, str]:
    settings = app.extensions["settings"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {
        "PORT": str(free_port()),
        "WEB_CONCURRENCY": "2",
        "BASE_URL": settings.base_url,
        "DATABASE_URL": settings.database_url.replace("postgresql+psycopg://", "postgres://"),
        "REDIS_URL": settings.redis_url,
        "OPENAI_BASE_URL": upstream_url,
        "OPENAI_API_KEY": "sk-upstream",
        "MAX_STREAMS_PER_PERSON": "1000",
        "SECRET_KEY": settings.secret_key,
        "JWT_SECRET": settings.jwt_secret,
        "PASSWORD_PEPPER": settings.password_pepper,
        "LOG_LEVEL": "WARNING",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_healthy(port):
        if time.monotonic() > deadline:
            raise TimeoutError("gunicorn did not start")
        time.sleep(0.1)


def _is_healthy(port: int) -> bool:
    try:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text(encoding="ascii").split()] if path.exists() else []


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """What is left of it and of its session, at once: the test has seen what it wanted."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
