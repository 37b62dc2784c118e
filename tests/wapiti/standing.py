"""The product as it stands on the internet, for a scanner: https, PostgreSQL, Redis, a worker, people and their rows.

Its one difference from production: TOKENBOARD_ENV is development, since only there the providers may be the sandbox.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from scripts.embedded_redis import throwaway_redis
from scripts.house import free_port, here
from tests.house.cells import samples
from tests.people import Browser, People, Someone, settle
from tests.postgres import running_postgres
from tests.wapiti.certificate import make_certificate
from tokenboard.app import create_app
from tokenboard.core.config import ROOT, load_settings
from tokenboard.sandbox.app import create_sandbox
from tokenboard.sandbox.serving import serving

START_SECONDS = 180
BIN = Path(sys.executable).parent
COOKIE = "__Host-tb"
_BROKE = {"unexpected_error", "database_unavailable"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A running product, and the same database seen from here."""

    app: Flask
    people: People
    port: int
    environ: dict[str, str]
    log: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def cookie_of(self, who: str) -> str:
        """The Cookie header of somebody who has signed in just now, or of a browser that nobody has signed in with.

        It is sent as it is, whatever cookies answers set: the walker neither signs in nor out by a form it fills in.
        """
        someone: Someone | None = getattr(self.people, who) if who else None
        browser = Browser(self.app, someone)
        if someone:
            with browser.client.session_transaction() as session:
                session["workspace_id"] = self.people.team_id
        kept = browser.client.get_cookie(COOKIE)
        assert kept is not None, "production's own name, since the address is https"
        return f"{COOKIE}={kept.value}"

    def opens(self, path: str, cookie: str) -> bool:
        """Whether this page is still shown to whoever sends this cookie."""
        return _status(self.port, path, {"Cookie": cookie}) == 200

    def broken(self) -> list[str]:
        """What the web process could not answer, from its log."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            return [line[:600] for line in lines if _event(line) in _BROKE]
        return []

    def books_fault(self) -> str:
        """What a law of the ledger says after all this; empty when every law holds."""
        command = [str(BIN / "flask"), "--app", "wsgi", "ledger", "check"]
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else (done.stdout + done.stderr)[-2_000:]


@contextlib.contextmanager
def standing(folder: Path) -> Iterator[Standing]:
    """Everything started and filled; ended with the block. Raises: NoPostgres, Refusal."""
    with contextlib.ExitStack() as stack:
        redis_url = stack.enter_context(throwaway_redis(here(), {}))
        database_url = stack.enter_context(running_postgres())
        sandbox_url = stack.enter_context(serving(create_sandbox(folder / "sandbox.sqlite3", chat_pace_seconds=0)))
        environ = _environ(database_url, redis_url, sandbox_url)
        app, people = _filled(environ, folder)
        running = Standing(app, people, int(environ["PORT"]), environ, folder / "web.log")
        certificate, key = make_certificate(folder)
        served = ["--certfile", certificate, "--keyfile", key, "tests.wapiti.door:app"]
        web = [BIN / "gunicorn", "-c", "gunicorn.conf.py", *served]
        stack.enter_context(_running(web, environ, running.log))
        stack.enter_context(_running([sys.executable, "worker.py"], environ, folder / "worker.log"))
        _wait_for(running.port)
        yield running


def _environ(database_url: str, redis_url: str, sandbox_url: str) -> dict[str, str]:
    port = free_port()
    return {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "PORT": str(port),
        "BASE_URL": f"https://localhost:{port}",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SANDBOX_URL": sandbox_url,
        "BCRYPT_COST": "4",  # the limits of sign-in are off
        "ENCRYPTION_KEYS": f"k1:{b64encode(secrets.token_bytes(32)).decode()}",
        "SECURITY_CONTACT": "security@example.com",
    } | {
        name: secrets.token_hex(24)
        for name in ("SECRET_KEY", "JWT_SECRET", "PASSWORD_PEPPER", "CRON_SECRET", "ADMIN_API_KEY", "METRICS_TOKEN")
    }


def _filled(environ: dict[str, str], folder: Path) -> tuple[Flask, People]:
    """Migrated; the cast, and a row of each kind, so that every page has something to show."""
    app = create_app(load_settings(environ | {"LOG_LEVEL": "ERROR"}, instance_path=folder))
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
    people = settle(app)
    samples(people)
    return app, people


@contextlib.contextmanager
def _running(words: list[object], environ: dict[str, str], log: Path) -> Iterator[None]:
    command = [str(word) for word in words]
    with log.open("wb") as said, subprocess.Popen(command, cwd=ROOT, env=environ, stdout=said, stderr=said) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def _status(port: int, path: str, headers: dict[str, str]) -> int:
    trusting = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago, by us
    with contextlib.closing(http.client.HTTPSConnection("localhost", port, timeout=30, context=trusting)) as connection:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _status(port, "/healthz", {}) == 200:
                return
        if time.monotonic() > deadline:
            raise TimeoutError("the product did not start")
        time.sleep(0.2)


def _event(line: str) -> str:
    try:
        told = json.loads(line)
    except ValueError:
        return ""
    return str(told.get("event", "")) if isinstance(told, dict) else ""
