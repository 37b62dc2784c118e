"""The ledger's rates: spends and hold+capture pairs a second, one hot wallet and 1,000, 1, 8 and 32 clients.

Limit: the same statements by pgbench (PostgreSQL) or by the bare driver (SQLite). Goals: through the service function
at least 0.35 spread and 0.45 hot on PostgreSQL; 100 spends of one wallet in one batch at least 15 × the single rate;
with a history of a million entries, a statement's page and the balance under 10 ms.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from bench import pgbench
from bench.history import fill_history
from bench.houses import application
from bench.measuring import Result, Sample, interleaved
from tokenboard.core.db import db, new_id
from tokenboard.core.money import NANO_PER_CENT
from tokenboard.ledger import queries, service
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import Spend

PROCESSES = 2
SECONDS, QUICK_SECONDS = 4, 2
PLENTY_MICROS = 10**15
GOALS: dict[str, dict[str, float]] = {"postgresql": {"spread": 0.35, "hot": 0.45}, "sqlite": {}}


def measure(quick: bool) -> list[Result]:
    """Every rate on SQLite and (unless quick) on PostgreSQL."""
    results: list[Result] = []
    for kind in ("sqlite",) if quick else ("sqlite", "postgresql"):
        with application(kind) as app:
            *wallets, for_batches, for_reads = _wallets(app, 52 if quick else 1_002)
            results += [
                _rate(kind, app, act, name, some, clients, quick)
                for act in ("spend", "pair")
                for name, some in (("spread", wallets), ("hot", wallets[:1]))
                for clients in ((8,) if quick else (1, 8, 32))
            ]
            with app.app_context():
                results += [_batch(kind, for_batches, quick), *_reads(kind, for_reads, quick)]
    return results


def _wallets(app: Flask, count: int) -> list[str]:
    with app.app_context():
        made = [service.open_account(credit_value_nano_usd=NANO_PER_CENT) for _ in range(count)]
        for wallet_id in made:
            service.grant(
                wallet_id=wallet_id,
                amount_micros=PLENTY_MICROS,
                category=Category.PAID,
                house=House.ADJUSTMENTS,
                key="bench",
            )
        if db.engine.dialect.name == "postgresql":
            db.session.execute(text("CREATE TABLE bench_wallet (n int PRIMARY KEY, id uuid)"))
            rows = [{"n": n, "id": wallet_id} for n, wallet_id in enumerate(made, 1)]
            db.session.execute(text("INSERT INTO bench_wallet VALUES (:n, :id)"), rows)
        db.session.commit()
        return made


def _rate(kind: str, app: Flask, act: str, name: str, wallets: list[str], clients: int, quick: bool) -> Result:
    seconds = QUICK_SECONDS if quick else SECONDS
    with app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
    ours: list[Sample] = []
    limit: list[Sample] = []
    latencies: list[float] = []
    for _ in range(1 if quick else 3):
        took = _clients(url, act, wallets, clients, seconds)
        latencies += took
        ours.append(_sample(len(took), seconds))
        limit.append(_limit(kind, url, act, wallets, clients, seconds))
    bound = GOALS[kind].get(name) if clients == 8 and act == "spend" else None
    notes: dict[str, object] = {
        "ours/s": round(1000 / statistics.median(sample.wall_ms for sample in ours)),
        "limit/s": round(1000 / statistics.median(sample.wall_ms for sample in limit)),
        "p50 ms": round(statistics.median(latencies), 2),
        "p99 ms": round(sorted(latencies)[int(len(latencies) * 0.99)], 2),
    }
    goal = f"≥ {bound}" if bound else "–"
    what = f"{act}s by {clients} clients, {len(wallets)} wallets; ms per act over all clients"
    return Result(f"{kind}/{act}-{name}-{clients}", what, goal, ours, limit, bound=bound, is_rate=True, notes=notes)


def _sample(count: int, seconds: float) -> Sample:
    return Sample(seconds * 1000 / max(count, 1), 0.0, count)


def _limit(kind: str, url: str, act: str, wallets: list[str], clients: int, seconds: int) -> Sample:
    program = pgbench.find()
    if kind == "sqlite" or program is None:
        return _sample(len(_clients(url, f"raw-{act}", wallets, clients, seconds)), seconds)
    with tempfile.TemporaryDirectory() as folder:
        rate = pgbench.acts_per_second(
            program, url, act, wallets=len(wallets), clients=clients, seconds=seconds, folder=Path(folder)
        )
    return Sample(1000 / rate, 0.0, round(rate * seconds))


def _clients(url: str, act: str, wallets: list[str], clients: int, seconds: float) -> list[float]:
    """Let so many clients in at most two processes act at once; every act's milliseconds."""
    processes = min(PROCESSES, clients)
    order: dict[str, object] = {
        "url": url,
        "act": act,
        "wallets": wallets,
        "threads": clients // processes,
        "seconds": seconds,
    }
    order["starts_at"] = time.time() + 6  # importing the product takes a process two seconds
    running = []
    for _ in range(processes):
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.ledger_client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdin is not None
        process.stdin.write(json.dumps(order))
        process.stdin.close()
    took: list[float] = []
    for process in running:
        assert process.stdout is not None
        took += json.loads(process.stdout.read())["took_ms"]
        process.wait()
    return took


def _batch(kind: str, wallet_id: str, quick: bool) -> Result:
    """A hundred spends of one wallet in one go beside a hundred alone: how many times faster."""

    def single() -> None:
        service.spend(wallet_id=wallet_id, amount_micros=1_000, key=new_id())
        db.session.commit()

    def batch() -> None:
        service.spend_batch(wallet_id=wallet_id, spends=[Spend(amount_micros=1_000, key=new_id()) for _ in range(100)])
        db.session.commit()

    series = interleaved({"single": single, "batch": batch}, quick=quick, calls=100)
    per_spend = [Sample(one.wall_ms / 100, one.cpu_ms / 100, one.calls * 100) for one in series["batch"]]
    return Result(
        f"{kind}/batch-100",
        "ms per spend in a batch of 100 / alone; the ratio says how many times the single rate",
        "≥ 15" if kind == "postgresql" else "–",  # what a batch saves is commits, which SQLite hardly pays for here
        per_spend,
        series["single"],
        bound=15 if kind == "postgresql" else None,
        is_rate=True,
    )


def _reads(kind: str, wallet_id: str, quick: bool) -> list[Result]:
    """A statement's page in the middle, and the balance, behind a long history, beside one row by its key."""
    entries = 50_000 if quick else 1_000_000
    fill_history(wallet_id, entries)
    questions: dict[str, Callable[[], object]] = {
        "statement": lambda: queries.statement(wallet_id, before=entries // 2),
        "balance": lambda: queries.balance(wallet_id),
    }
    return [_read(kind, name, ask, wallet_id, entries, quick) for name, ask in questions.items()]


def _read(kind: str, name: str, ask: Callable[[], object], wallet_id: str, entries: int, quick: bool) -> Result:
    stored = wallet_id if kind == "postgresql" else wallet_id.replace("-", "")
    by_key = text("SELECT posted_micros FROM ledger_account WHERE id = :id")

    def ended(call: Callable[[], object]) -> None:
        call()
        db.session.rollback()

    series = interleaved(
        {
            "ours": lambda: ended(ask),
            "limit": lambda: ended(lambda: db.session.execute(by_key, {"id": stored}).all()),
        },
        quick=quick,
        calls=100,
    )
    slowest = max(sample.wall_ms for sample in series["ours"])
    notes: dict[str, object] = {"entries": entries, "slowest ms": round(slowest, 2), "under 10 ms": slowest < 10}
    return Result(
        f"{kind}/{name}",
        "a read behind a long history / one row by its key",
        "–",
        series["ours"],
        series["limit"],
        notes=notes,
    )
