"""The product as the stream benchmark measures it: PostgreSQL, many people, one web process on one core."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from bench.houses import application
from bench.processes import Served
from tokenboard.accounts.models import Person
from tokenboard.core.config import ROOT
from tokenboard.core.db import db, new_id
from tokenboard.keys import key_service
from tokenboard.keys.rules import Limits
from tokenboard.ledger import service as ledger
from tokenboard.metering.models import ModelPrice
from tokenboard.portal.signup import sign_up
from tokenboard.workspaces.models import Membership, Workspace

PEOPLE, QUICK_PEOPLE = 500, 120
PASSWORD = "a long enough sentence"  # noqa: S105 - of people who only live here
_CREDITS_MICROS = 10**13
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class House:
    """The database that every web process of a run shares."""

    app: Flask
    upstream_url: str


@contextlib.contextmanager
def house(upstream_url: str, people: int) -> Iterator[House]:
    """A migrated PostgreSQL with so many people, each with a wallet of their own."""
    with application("postgresql") as app:
        with app.app_context():
            db.session.add(_price())
            for number in range(people):
                _settle_in(number)
            db.session.commit()
            db.engine.dispose()
        yield House(app, upstream_url)


def _price() -> ModelPrice:
    told = {"input_nano_per_mtok": 150_000_000, "output_nano_per_mtok": 600_000_000}
    return ModelPrice(model="bench", version=1, source="admin", max_output_tokens=16_384, **told)


def _settle_in(number: int) -> None:
    made = sign_up(email=f"bench-{number}@example.com", password=PASSWORD)
    ledger.grant(
        wallet_id=db.session.get_one(Workspace, made.workspace.id).ledger_account_id,
        amount_micros=_CREDITS_MICROS,
        category=ledger.Category.PAID,
        house=ledger.House.ADJUSTMENTS,
        key=new_id(),
        description="for the benchmark",
        source="bench",
    )


def virtual_key(home: House) -> str:
    """A key of somebody there, without a budget of its own."""
    with home.app.app_context():
        workspace_id, person_id = db.session.execute(
            select(Membership.workspace_id, Membership.person_id).limit(1)
        ).one()
        made = key_service.create_key(
            workspace=db.session.get_one(Workspace, workspace_id),
            person=db.session.get_one(Person, person_id),
            name="bench",
            limits=Limits(),
        )
        db.session.commit()
        db.engine.dispose()
    assert made.secret is not None, "it is new"
    return made.secret


@contextlib.contextmanager
def web(home: House, core: int | None, **more: str) -> Iterator[Served]:
    """One gevent process that serves this house, on this core."""
    port = _free_port()
    command = [str(Path(sys.executable).parent / "gunicorn"), "-c", "gunicorn.conf.py", "bench.stream_door:app"]
    pinned = ["taskset", "-c", str(core), *command] if core is not None else command
    with subprocess.Popen(pinned, cwd=ROOT, env=_environ(home, port) | more, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield Served(process.pid, port)
        finally:
            process.terminate()


def _environ(home: House, port: int) -> dict[str, str]:
    settings = home.app.extensions["settings"]
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "DATABASE_URL": settings.database_url.replace("postgresql+psycopg://", "postgres://"),
        "OPENAI_BASE_URL": home.upstream_url,
        "OPENAI_API_KEY": "sk-bench",
        "MAX_STREAMS_PER_PERSON": "1000",
        "MAX_STREAMS_PER_PROCESS": "2000",
        "SECRET_KEY": settings.secret_key,
        "JWT_SECRET": settings.jwt_secret,
        "PASSWORD_PEPPER": settings.password_pepper,
        "BCRYPT_COST": "12",
        "LOG_LEVEL": "ERROR",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
