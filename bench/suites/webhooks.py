"""The webhook's door under load: accepted a second and p99, with Redis and without, by 8 senders over keep-alive HTTP.

Ours is one web process of the product with its own gunicorn.conf.py; each delivery is verified, stored and committed
before it is answered, and the count of rows is compared with the count of answers. Limit: a bare WSGI function that
reads the body and says 200, under the same gunicorn.conf.py. Peer: the same row inserted and committed over the bare
driver by 8 connections, without HTTP. Promise: without Redis p99 stays under 300 ms. What a delivery costs the web
process in processor time (cpu ms) is told too: it is the figure that other work on the machine disturbs least.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from bench.driver_inserts import inserts
from bench.houses import application
from bench.measuring import Result, Sample
from bench.processes import cpu_seconds
from scripts.embedded_redis import throwaway_redis
from scripts.house import free_port, here
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.core.config import ROOT
from tokenboard.core.db import db

SENDERS, PROCESSES = 8, 2
SECONDS, QUICK_SECONDS = 4, 2
ROUNDS = 3
SECRET = "whsec_bench"  # noqa: S105 - opens nothing
NOWHERE = "redis://127.0.0.1:1/0"
P99_PROMISE_MS = 300


@dataclass(frozen=True, slots=True)
class Load:
    """What a series of deliveries came to."""

    took_ms: list[float]
    refused: int
    cpu_seconds: float  # of the web process


@dataclass(frozen=True, slots=True)
class Door:
    """Where a web process listens, and which one it is."""

    port: int
    pid: int


def measure(quick: bool) -> list[Result]:
    """On SQLite and (unless quick) on PostgreSQL."""
    results: list[Result] = []
    for kind in ("sqlite",) if quick else ("sqlite", "postgresql"):
        with application(kind) as app, tempfile.TemporaryDirectory() as folder:
            results += _doors(kind, app, Path(folder), quick)
    return results


def _doors(kind: str, app: Flask, folder: Path, quick: bool) -> list[Result]:
    with app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
    seconds = QUICK_SECONDS if quick else SECONDS
    loads: dict[str, list[Load]] = {"up": [], "down": [], "bare": []}
    written: list[Sample] = []
    with contextlib.ExitStack() as stack:
        redis_url = stack.enter_context(throwaway_redis(here(), dict(os.environ)))
        doors = {
            "up": stack.enter_context(_served("wsgi:app", url, redis_url, folder)),
            "down": stack.enter_context(_served("wsgi:app", url, NOWHERE, folder)),
            "bare": stack.enter_context(_served("bench.bare_door:application", url, NOWHERE, folder)),
        }
        for turn in range(1 if quick else ROUNDS):
            for name, door in doors.items():
                loads[name].append(_load(door, f"{name}{turn}", seconds))
            written.append(_sample(inserts(url, SENDERS, seconds), seconds))
    _require_stored(app, loads)
    return [_result(kind, name, loads, written, seconds) for name in ("up", "down")]


@contextlib.contextmanager
def _served(application: str, url: str, redis_url: str, folder: Path) -> Iterator[Door]:
    """One web process under the product's own gunicorn.conf.py."""
    port = free_port()
    own = {"DATABASE_URL": url, "REDIS_URL": redis_url, "PORT": str(port), "WEB_CONCURRENCY": "1"}
    stripe = {"STRIPE_SECRET_KEY": "sk_test_bench", "STRIPE_WEBHOOK_SECRET": SECRET, "LOG_LEVEL": "ERROR"}
    words = [sys.executable, "-m", "gunicorn", application, "-c", "gunicorn.conf.py", "--log-level", "error"]
    environ = {**os.environ, **own, **stripe}
    with (
        (folder / "web.log").open("ab") as said,
        subprocess.Popen(words, cwd=ROOT, env=environ, stdout=said, stderr=said) as process,
    ):
        try:
            _wait_until_it_answers(port)
            yield Door(port, process.pid)
        finally:
            process.terminate()


def _wait_until_it_answers(port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        except OSError:  # not listening yet, or too busy to answer in time
            time.sleep(0.1)
    raise RuntimeError("the web process does not answer")


def _load(door: Door, name: str, seconds: float) -> Load:
    began = cpu_seconds(door.pid)
    order: dict[str, object] = {
        "port": door.port,
        "secret": SECRET,
        "threads": SENDERS // PROCESSES,
        "seconds": seconds,
    }
    order["starts_at"] = time.time() + 1.5
    running = []
    for number in range(PROCESSES):
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.webhook_client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps({**order, "name": f"{name}_{number}"}))
        process.stdin.close()
        running.append(process)
    took: list[float] = []
    refused = 0
    for process in running:
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
        process.wait()
        took += told["took_ms"]
        refused += told["refused"]
    return Load(sorted(took), refused, cpu_seconds(door.pid) - began)


def _require_stored(app: Flask, loads: dict[str, list[Load]]) -> None:
    """Every accepted delivery is a row: what was counted, and the one each sender begins with."""
    answered = sum(len(load.took_ms) + SENDERS for name in ("up", "down") for load in loads[name])
    refused = sum(load.refused for name in ("up", "down") for load in loads[name])
    with app.app_context():
        stored = db.session.scalar(select(func.count()).where(InboxEvent.event_id.startswith("evt_"))) or 0
    if (stored, refused) != (answered, 0):
        raise RuntimeError(f"{answered} deliveries, {refused} refused, {stored} stored")


def _sample(count: int, seconds: float, used_seconds: float = 0.0) -> Sample:
    return Sample(seconds * 1000 / max(count, 1), used_seconds * 1000 / max(count, 1), count)


def _of(load: Load, seconds: float) -> Sample:
    return _sample(len(load.took_ms), seconds, load.cpu_seconds)


def _rate(samples: list[Sample]) -> float:
    return 1000 / statistics.median(sample.wall_ms for sample in samples)


def _result(kind: str, name: str, loads: dict[str, list[Load]], written: list[Sample], seconds: float) -> Result:
    ours = [_of(load, seconds) for load in loads[name]]
    bare = [_of(load, seconds) for load in loads["bare"]]
    took = sorted(ms for load in loads[name] for ms in load.took_ms)
    p99 = took[int(len(took) * 0.99)]
    notes: dict[str, object] = {
        "accepted/s": round(_rate(ours)),
        "p50 ms": round(statistics.median(took), 1),
        "p99 ms": round(p99, 1),
        "under 300 ms": p99 < P99_PROMISE_MS,
        "cpu ms": round(statistics.median(sample.cpu_ms for sample in ours), 2),
        "bare WSGI/s": round(_rate(bare)),
        "bare cpu ms": round(statistics.median(sample.cpu_ms for sample in bare), 2),
        "bare inserts/s": round(_rate(written)),
        "of the inserts": round(_rate(ours) / _rate(written), 2),
    }
    what = f"signed deliveries by {SENDERS} senders to one web process, Redis {name}; ms per delivery over all senders"
    return Result(f"{kind}/webhook-redis-{name}", what, "–", ours, bare, written, is_rate=True, notes=notes)
