"""A provider's key appears nowhere but in its seal: not in logs, answers, pages, jobs, alerts, audit or any table."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
import redis
from sqlalchemy import select

from tests.costs.syncing import COSTS, Syncing
from tokenboard.core.db import db

CANARY = "canary0f3c9a71b2d4e6"
KEYS = [
    f"sk-admin-sandbox-{CANARY}",  # works
    f"sk-proj-sandbox-{CANARY}",  # of the wrong kind
    f"sk-nobody-{CANARY}",  # unknown
]


def everything_stored(syncing: Syncing) -> str:
    """Every cell of every table, but the seals."""
    with syncing.app.app_context():
        cells = [
            str(value)
            for table in db.metadata.sorted_tables
            for row in db.session.execute(select(*[column for column in table.columns if column.name != "sealed_key"]))
            for value in row
        ]
        db.session.rollback()
    return "\n".join(cells)


def everything_queued(redis_url: str) -> bytes:
    """Every job in Redis, unpacked, and every key's name."""
    connection = redis.Redis.from_url(redis_url)
    pieces: list[bytes] = []
    for key in connection.scan_iter():
        values = connection.hgetall(key).values() if connection.type(key) == b"hash" else []
        pieces += [key, *(unpacked(value) for value in values)]
    return b"\n".join(pieces)


def unpacked(value: bytes | str) -> bytes:
    """RQ packs what a job carries."""
    raw = value.encode() if isinstance(value, str) else value
    try:
        return zlib.decompress(raw)
    except zlib.error:
        return raw


@pytest.mark.parametrize("key", KEYS)
def test_the_key_is_nowhere(
    outside: Syncing,
    key: str,
    redis_url: str,
    run_jobs: Callable[[], int],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level("DEBUG")
    alice = outside.people.bearer(outside.people.alice)
    browser = outside.people.browser(outside.people.alice)
    team = {"workspaceId": outside.people.team_id}
    form = {"workspace_id": outside.people.team_id, "provider": "openai", "mode": "organization", "api_key": key}

    said = [
        alice.post("/api/openai/connect", json=team | {"apiKey": key, "mode": "organization"}),
        alice.post("/api/connections", json=team | {"apiKey": key, "mode": "personal", "provider": "openai"}),
        alice.post("/api/connections", json=team | {"apiKey": key, "mode": "organization", "provider": "anthropic"}),
        browser.post("/settings/connections", form),
        browser.post("/settings/connections", form | {"mode": "nonsense"}),
        alice.post("/api/openai/connect", json=team | {"apiKey": f"{key} {key}", "mode": "organization"}),
    ]
    queued = everything_queued(redis_url)
    assert (b"costs.run_sync" in queued) is (key == KEYS[0])
    for fault in ("revoked", "503"):
        outside.fault(fault, COSTS, times=9)
        run_jobs()
        outside.order("reset", {})
        said.append(alice.post("/api/openai/sync", json=team))
    run_jobs()
    said += [browser.get("/settings/connections"), alice.get(f"/api/connections?workspaceId={outside.people.team_id}")]
    ran = outside.app.test_cli_runner().invoke(args=["costs", "sync", "--now"])

    written = capfd.readouterr()
    assert CANARY not in "".join(answer.text for answer in said)
    assert CANARY not in everything_stored(outside)
    assert CANARY.encode() not in queued + everything_queued(redis_url)
    assert CANARY not in written.out + written.err + ran.output
    assert CANARY not in caplog.text + str([record.__dict__ for record in caplog.records])
