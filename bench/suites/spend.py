"""Spend read back: records a second from the bytes of a delivery to ledger, caps, mirror and usage, committed.

Ours is one worker booking deliveries of 500 records of six keys, all new. Limit: `usage_service.ingest` of as many
usage records, which is a part of it. Peer: a delivery that is known already, as the overlap of the log brings them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from bench.houses import application
from bench.measuring import Result, interleaved, rounds
from bench.usage_history import facts, make_workspaces
from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import key_service, spend_service
from tokenboard.keys.rules import Limits, secret_hash
from tokenboard.metering.usage_service import ingest
from tokenboard.providers.litellm_records import read_callback
from tokenboard.workspaces.models import Workspace

BATCH, KEYS, CALLS = 500, 6, 6
_FRESH_FROM = 500_000_000  # numbers that no other record has
_numbers: Iterator[int] = count(1)


def measure(quick: bool) -> list[Result]:
    """Both databases, SQLite alone when quick."""
    results: list[Result] = []
    for kind in ("sqlite",) if quick else ("sqlite", "postgresql"):
        with application(kind) as app, app.app_context():
            results += _measured(kind, quick)
    return results


def _measured(kind: str, quick: bool) -> list[Result]:
    workspaces = make_workspaces()
    hashes = [_key(workspaces[0]) for _ in range(KEYS)]
    db.session.commit()
    series_count = (CALLS + 1) * (rounds(quick) + 1)
    bodies = iter([_delivery(hashes) for _ in range(series_count)])
    starts = iter(range(_FRESH_FROM, 2 * _FRESH_FROM, BATCH))
    rows = iter([list(facts(workspaces, _range(next(starts)))) for _ in range(series_count)])
    known = _delivery(hashes)
    _book(known)
    contenders: dict[str, Callable[[], object]] = {
        "ours": lambda: _book(next(bodies)),
        "limit": lambda: _ingest(next(rows)),
        "peer": lambda: _book(known),
    }
    series = interleaved(contenders, quick=quick, calls=CALLS)
    best = {name: min(one.wall_ms for one in samples) for name, samples in series.items()}
    notes: dict[str, object] = {
        "records a second at best": round(BATCH * 1000 / best["ours"]),
        "known records a second at best": round(BATCH * 1000 / best["peer"]),
    }
    what = f"deliveries of {BATCH}, read, booked and committed / usage records alone / known already"
    ours, limit, peer = series["ours"], series["limit"], series["peer"]
    return [Result(f"{kind}/spend", what, "no goal", ours, limit, peer, is_rate=True, notes=notes)]


def _range(start: int) -> range:
    return range(start, start + BATCH)


def _key(workspace_id: str) -> str:
    person = Person(email=f"bench-{next(_numbers)}@example.com")
    db.session.add(person)
    db.session.flush()
    workspace = db.session.get_one(Workspace, workspace_id)
    made = key_service.create_key(workspace=workspace, person=person, name="bench", limits=Limits())
    return secret_hash(made.secret or "")


def _delivery(hashes: list[str]) -> bytes:
    at = now().timestamp() - 60
    return json.dumps([_payload(hashes[number % KEYS], at) for number in range(BATCH)]).encode()


def _payload(key_hash: str, at: float) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-bench-{next(_numbers)}",
        "status": "success",
        "model_group": "gpt-4o",
        "prompt_tokens": 120,
        "completion_tokens": 80,
        "response_cost": 0.0011,
        "startTime": at,
        "endTime": at + 2.5,
        "metadata": {"user_api_key_hash": key_hash},
    }


def _book(body: bytes) -> None:
    spend_service.book(records=read_callback(body).records, feed="callback")
    db.session.commit()


def _ingest(records: list[Any]) -> None:
    ingest(records=records)
    db.session.commit()
