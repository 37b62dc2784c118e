"""One process of spending clients: `python -m bench.ledger_client`, with its order as JSON on standard input.

Order: url, act (spend, pair, raw-spend, raw-pair), wallets, threads, seconds, starts_at (unix time), so that all
processes begin together. Answer on standard output: how many acts, and each one's milliseconds.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import make_url

from tokenboard.app import create_app
from tokenboard.core import clock
from tokenboard.core.config import ROOT, load_settings
from tokenboard.core.db import db, new_id
from tokenboard.ledger import fast, service
from tokenboard.ledger.accounts import House
from tokenboard.ledger.acts import checked_act, checked_settlement
from tokenboard.ledger.driver import Ledger
from tokenboard.ledger.kinds import HoldState, Kind

AMOUNT_MICROS = 1_000


@dataclass(frozen=True, slots=True)
class Order:
    """What to do, how long, on which wallets."""

    url: str
    act: str
    wallets: list[str]
    threads: int
    seconds: float
    starts_at: float


def _spend(wallet_id: str) -> None:
    service.spend(wallet_id=wallet_id, amount_micros=AMOUNT_MICROS, key=new_id(), description="bench", source="bench:1")
    db.session.commit()


def _pair(wallet_id: str) -> None:
    """Hold, commit, capture half, commit: as a streamed answer does."""
    until = clock.now() + timedelta(minutes=5)
    placed = service.hold(wallet_id=wallet_id, amount_micros=AMOUNT_MICROS, key=new_id(), expires_at=until)
    db.session.commit()
    service.capture(hold_id=placed.hold_id, amount_micros=AMOUNT_MICROS // 2)
    db.session.commit()


class RawConnection:
    """sqlite3 itself behind the one method that the ledger's statements use: the limit on SQLite."""

    def __init__(self, path: str) -> None:
        self._driver = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        self._driver.execute("PRAGMA synchronous=NORMAL")

    def begin(self) -> None:
        self._driver.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._driver.execute("COMMIT")

    def exec_driver_sql(self, text: str, values: Mapping[str, Any]) -> _Rows:
        return _Rows(self._driver.execute(text, values))


class _Rows:
    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def first(self) -> Any | None:
        return self._cursor.fetchone()


def _raw(order: Order) -> Callable[[str], None]:
    connection = RawConnection(make_url(order.url).database or "")
    books = Ledger(connection, is_postgresql=False)  # type: ignore[arg-type]

    def spend(wallet_id: str) -> None:
        connection.begin()
        assert fast.spend(books, checked_act(wallet_id, AMOUNT_MICROS, new_id(), "", ""), Kind.SPEND, House.USAGE)
        connection.commit()

    def pair(wallet_id: str) -> None:
        connection.begin()
        act = checked_act(wallet_id, AMOUNT_MICROS, new_id(), "", "")
        placed = fast.hold(books, act, clock.now() + timedelta(minutes=5))
        connection.commit()
        assert placed is not None
        connection.begin()
        assert fast.settle(
            books, checked_settlement(placed[0].hold_id, AMOUNT_MICROS // 2, Kind.CAPTURE, HoldState.CAPTURED, "", "")
        )
        connection.commit()

    return spend if order.act == "raw-spend" else pair


def _client(order: Order, app: Flask | None, took_ms: list[float]) -> None:
    """One thread: acts on random wallets until the time is over."""
    chance = random.Random()
    if app is None:
        _until_over(order, _raw(order), chance, took_ms)
        return
    with app.app_context():
        _until_over(order, _spend if order.act == "spend" else _pair, chance, took_ms)


def _application(order: Order) -> Flask | None:
    """The product, unless the driver itself is measured."""
    if order.act.startswith("raw-"):
        return None
    return create_app(load_settings({"DATABASE_URL": order.url, "LOG_LEVEL": "ERROR"}, instance_path=ROOT / "instance"))


def _until_over(order: Order, act: Callable[[str], None], chance: random.Random, took_ms: list[float]) -> None:
    act(chance.choice(order.wallets))  # connect and warm up
    time.sleep(max(0.0, order.starts_at - time.time()))
    until = time.perf_counter() + order.seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        act(chance.choice(order.wallets))
        took_ms.append((time.perf_counter() - began) * 1000)


def main() -> None:
    """Read the order, run its threads, tell what they did."""
    order = Order(**json.load(sys.stdin))
    took: list[list[float]] = [[] for _ in range(order.threads)]
    app = _application(order)
    clients = [threading.Thread(target=_client, args=(order, app, one)) for one in took]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    json.dump({"took_ms": sorted(ms for one in took for ms in one)}, sys.stdout)


if __name__ == "__main__":
    main()
