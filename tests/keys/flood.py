"""Both feeds at once, duplicated, late and shuffled, while their workers are killed between statements.

    python -m tests.keys.flood [--records 10000] [--kills 5] [--seed 1]

runs the whole of it on a PostgreSQL of its own; the ordinary suite runs a small one on both databases. Afterwards every
request must have its line, every charge must have been paid once, and what was booked must be what the proxy reports,
to the nano-dollar.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select, update

from tests.conftest import MIGRATIONS, settings_with
from tests.keys.making import CREDIT, make
from tests.keys.spending import logged, payload, posted
from tests.metering.calling import fund, price
from tests.people import People, settle
from tests.postgres import running_postgres
from tokenboard.app import create_app
from tokenboard.core.clock import monotonic, now
from tokenboard.core.db import db
from tokenboard.keys.models import MirrorTarget
from tokenboard.keys.rules import secret_hash
from tokenboard.keys.spend_models import SpendBatch, SpendCursor, SpendLine
from tokenboard.ledger.invariants import check
from tokenboard.metering.usage_models import UsageDay, UsageRecord
from tokenboard.sandbox.app import create_sandbox
from tokenboard.sandbox.memory import EXTENSION
from tokenboard.sandbox.serving import serving
from tokenboard.sandbox.store import Store

KEYS = 6
FUNDED = 1_000_000
_FOREIGN, _REFUSED, _LOST_BY_CALLBACK, _TWICE = 0.05, 0.05, 0.15, 0.3


@dataclass
class Flood:
    """What was sent, and what came of it."""

    records: int
    kills: int
    seconds: float = 0.0
    deaths: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    nano: int = 0

    def spoken(self) -> str:
        told = f"{self.records} records, killed {dict(self.deaths)}, {self.seconds:.1f} s, {self.nano} nano-USD booked"
        return "\n".join([told, *(self.faults or ["every record once, to the nano-dollar"])])


def run(people: People, folder: Path, database: str, redis: str, *, records: int, kills: int, seed: int = 1) -> Flood:
    """Make the records, let both feeds run and die, compare."""
    chance = random.Random(seed)
    flood = Flood(records, kills)
    sandbox = create_sandbox(folder / "flood-sandbox.sqlite3", chat_pace_seconds=0)
    with serving(sandbox) as url, people.app.app_context():
        price()
        fund(people.team_id, FUNDED)
        hashes = [secret_hash(make(people).secret or "") for _ in range(KEYS)]
        rows = [_row(chance, hashes, people) for _ in range(records)]
        _write_log(sandbox.extensions[EXTENSION].store, rows)
        _deliver(people, rows, chance)
        db.session.remove()
        begun = monotonic()
        places = {"FLOOD_DATABASE": database, "FLOOD_REDIS": redis, "FLOOD_SANDBOX": url, "FLOOD_FOLDER": str(folder)}
        _work(places, flood, chance)
        flood.seconds = monotonic() - begun
        flood.faults = _faults(people, rows, flood)
        db.session.remove()
    return flood


def _row(chance: random.Random, hashes: list[str], people: People) -> dict[str, Any]:
    at = now() - timedelta(seconds=10 + chance.random() * 400)
    cost = chance.randrange(1, 200_000) / 1e9
    who = secret_hash("sk-nobody") if chance.random() < _FOREIGN else chance.choice(hashes)
    tokens = {"prompt_tokens": chance.randrange(1, 500), "completion_tokens": chance.randrange(0, 500)}
    people_seen = chance.choice(["", people.bob.email, "stranger@example.net"]) if who in hashes else ""
    if chance.random() < _REFUSED:
        return payload(
            who, at=at, status="failure", response_cost=0.0, error_code="422", end_user=people_seen, **tokens
        )
    return payload(who, at=at, response_cost=cost, end_user=people_seen, **tokens)


def _write_log(store: Store, rows: list[dict[str, Any]]) -> None:
    """The proxy's truth: every row."""
    told = [logged(row) for row in rows]
    names = ("request_id", "litellm_call_id", "api_key", "user", "end_user", "model_group", "status", "startTime")
    values = [(*(one[name] for name in names), json.dumps(one)) for one in told]
    with store.opened() as connection:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO spend (request_id, call_id, api_key, user, end_user, model_group, status, started_at, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        connection.execute("COMMIT")


def _deliver(people: People, rows: list[dict[str, Any]], chance: random.Random) -> None:
    """The callback's deliveries: some records never, some twice, in any order; some deliveries twice."""
    sent = [row for row in rows if chance.random() > _LOST_BY_CALLBACK]
    sent += [row for row in sent if chance.random() < _TWICE]
    chance.shuffle(sent)
    client = people.app.test_client()
    heads = {"Authorization": "Bearer sandbox-callback"}
    db.session.commit()
    while sent:
        size = chance.randrange(1, 513)
        batch, sent = sent[:size], sent[size:]
        for _ in range(1 + (chance.random() < _TWICE)):
            told = client.post("/api/webhooks/litellm", data=json.dumps(batch), headers=heads)
            assert told.status_code == 200, told.text


def _work(places: dict[str, str], flood: Flood, chance: random.Random) -> None:
    """Both workers at once; each is killed at a statement of chance until there were enough kills, then let run."""
    while sum(flood.deaths.values()) < flood.kills:
        running = {feed: _start(feed, places, die_at=chance.randrange(3, 60)) for feed in ("callback", "log")}
        for feed, process in running.items():
            flood.deaths[feed] += process.wait(timeout=300) < 0
        _end_lease()
    for _ in range(3):
        running = {feed: _start(feed, places) for feed in ("callback", "log")}
        if all(process.wait(timeout=900) == 0 for process in running.values()):
            return
        _end_lease()


def _start(feed: str, places: dict[str, str], *, die_at: int = 0) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.keys.flood_worker", feed, "--die-at", str(die_at)]
    return subprocess.Popen(command, env=os.environ | places)


def _end_lease() -> None:
    """A dead reader's lease, and the wait of a delivery that was put off, are over."""
    db.session.execute(update(SpendCursor).values(lease_until=None))
    db.session.execute(update(SpendBatch).where(SpendBatch.state == "new").values(next_attempt_at=now()))
    db.session.commit()


def _faults(people: People, rows: list[dict[str, Any]], flood: Flood) -> list[str]:
    """What is not as it must be."""
    ours = [row for row in rows if row["metadata"]["user_api_key_hash"] != secret_hash("sk-nobody")]
    nano = sum(round(row["response_cost"] * 1e9) for row in ours)
    micros = sum(-(-round(row["response_cost"] * 1e9) // 10) for row in ours)
    flood.nano = _sum(UsageRecord.cost_nano_usd)
    booked = select(func.sum(MirrorTarget.booked_nano))
    counted = {
        "lines": (len(rows), db.session.scalar(select(func.count()).select_from(SpendLine))),
        "records": (len(ours), db.session.scalar(select(func.count()).select_from(UsageRecord))),
        "nano-USD in records": (nano, flood.nano),
        "micro-credits in records": (micros, _sum(UsageRecord.credits_micros)),
        "micro-credits in roll-ups": (micros, _sum(UsageDay.credits_micros)),  # type: ignore[attr-defined]  # set by name
        "micro-credits in the wallet": (FUNDED * CREDIT - micros, posted(people.team_id)),
        "nano-USD at the keys": (nano, db.session.scalar(booked.where(MirrorTarget.kind == "key"))),
        "nano-USD at the user": (nano, db.session.scalar(booked.where(MirrorTarget.kind == "user"))),
        "open deliveries": (0, db.session.scalar(select(func.count()).where(SpendBatch.state != "done"))),
    }
    broken = [f"law {one.law}" for one in check() if one.law != "I14"]
    return broken + [f"{name}: {is_} where {must} was due" for name, (must, is_) in counted.items() if must != is_]


def _sum(column: Any) -> int:
    return int(db.session.scalar(select(func.coalesce(func.sum(column), 0))) or 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.keys.flood")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(running_postgres())
        app: Flask = create_app(settings_with(url, "", "http://127.0.0.1:9", folder))
        with app.app_context():
            upgrade(directory=MIGRATIONS)
        result = run(settle(app), folder, url, "", records=asked.records, kills=asked.kills, seed=asked.seed)
    sys.stdout.write(result.spoken() + "\n")
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
