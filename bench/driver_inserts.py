"""The inbox's row inserted and committed over the bare driver by some connections at once: what a database allows."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable

import psycopg
from sqlalchemy import make_url

from bench.webhook_event import event_body
from tokenboard.core.clock import now
from tokenboard.providers.stripe_events import API_VERSION

_COLUMNS = (
    "id, provider, event_id, type, object_id, created_at, is_live, body, headers,"
    " state, note, attempts, next_attempt_at, last_error, received_at"
)
_PLACES = 15


def inserts(url: str, connections: int, seconds: float) -> int:
    """How many rows so many connections commit in this time."""
    counts = [0] * connections
    begins = threading.Barrier(connections)

    def work(number: int) -> None:
        insert, end = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
        begins.wait()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            insert(_row())
            counts[number] += 1
        end()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _row() -> tuple[object, ...]:
    """As the inbox writes it."""
    at, name = now(), uuid.uuid4().hex
    about = ("checkout.session.completed", "cs_test_bench", at, False)
    body, headers = event_body(f"bare_{name}"), json.dumps({"User-Agent": f"bench {API_VERSION}"})
    return (name, "stripe", f"bare_{name}", *about, body, headers, "new", "", 0, at, "", at)


def _sqlite(url: str) -> tuple[Callable[[tuple[object, ...]], None], Callable[[], None]]:
    line = sqlite3.connect(make_url(url).database or "", isolation_level=None, timeout=30, check_same_thread=False)
    line.execute("PRAGMA synchronous=NORMAL")
    statement = f"INSERT INTO inbox_event ({_COLUMNS}) VALUES ({', '.join('?' * _PLACES)}) ON CONFLICT DO NOTHING"

    def insert(row: tuple[object, ...]) -> None:
        plain = [str(value) if hasattr(value, "tzinfo") else value for value in row]
        line.execute("BEGIN IMMEDIATE")
        line.execute(statement, plain)
        line.execute("COMMIT")

    return insert, line.close


def _postgresql(url: str) -> tuple[Callable[[tuple[object, ...]], None], Callable[[], None]]:
    address = make_url(url)
    host = str(address.query.get("host") or address.host)
    line = psycopg.connect(host=host, user=address.username or "postgres", dbname=address.database or "postgres")
    statement = f"INSERT INTO inbox_event ({_COLUMNS}) VALUES ({', '.join(['%s'] * _PLACES)}) ON CONFLICT DO NOTHING"

    def insert(row: tuple[object, ...]) -> None:
        line.execute(statement, row)
        line.commit()

    return insert, line.close
