"""Both feeds at the door: the callback's deliveries and the reader of the log."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from tests.conftest import settings_with
from tests.keys.making import CREDIT, make
from tests.keys.spending import HOUSE_KEY, book, logged, payload, posted, usage
from tokenboard.app import create_app
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import spend_cursor, spend_tasks
from tokenboard.keys.rules import secret_hash
from tokenboard.keys.spend_models import SpendBatch, SpendCursor, SpendLine
from tokenboard.keys.webhooks import BODY_BYTES_MAX
from tokenboard.providers.litellm_client import SPEND_PAGE_ROWS
from tokenboard.providers.litellm_errors import ProxyUnavailable
from tokenboard.providers.litellm_objects import SpendPage
from tokenboard.providers.litellm_records import logged_record, read_callback

URL = "/api/webhooks/litellm"
BEARER = {"Authorization": "Bearer sandbox-callback", "Content-Type": "application/json"}
HOUSE = frozenset({HOUSE_KEY})


@dataclass
class Log:
    """A proxy's spend log: rows by start, so many a page; `is_down` refuses."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    is_down: bool = False
    asked: list[tuple[datetime, datetime, int]] = field(default_factory=list)

    def spend_logs(self, *, since: datetime, until: datetime, page: int) -> SpendPage:
        self.asked.append((since, until, page))
        if self.is_down:
            raise ProxyUnavailable(status=503)
        rows = sorted((logged(row) for row in self.rows), key=lambda row: row["startTime"])
        found = [one for one in map(_read, rows) if since <= one.started_at <= until]
        part = tuple(found[(page - 1) * SPEND_PAGE_ROWS : page * SPEND_PAGE_ROWS])
        return SpendPage(part, rows=len(part))


def _read(row: dict[str, Any]) -> Any:
    return logged_record(json.loads(json.dumps(row), parse_float=Decimal))


def deliver(shop, *rows: dict[str, Any], body: bytes | None = None) -> dict[str, int]:
    """As LiteLLM does: POST an array."""
    sent = json.dumps(rows).encode() if body is None else body
    told = shop.app.test_client().post(URL, data=sent, headers=BEARER)
    assert told.status_code == 200, told.text
    return told.json


def handle_all() -> list[SpendBatch]:
    spend_tasks.sweep_spend()
    return list(db.session.scalars(select(SpendBatch).order_by(SpendBatch.received_at)))


@pytest.mark.parametrize("log_format", ["json_array", "ndjson", "single"])
def test_a_delivery_is_kept_at_once_and_booked_later(shop, log_format):
    made = make(shop)
    rows = [payload(secret_hash(made.secret)) for _ in range(1 if log_format == "single" else 3)]
    bodies = {"json_array": json.dumps(rows), "single": json.dumps(rows[0]), "ndjson": "\n".join(map(json.dumps, rows))}
    body = bodies[log_format].encode()

    assert deliver(shop, body=body) == {"accepted": 1, "duplicates": 0, "rejected": 0}
    assert deliver(shop, body=body) == {"accepted": 0, "duplicates": 1, "rejected": 0}
    assert usage(shop) == []

    (batch,) = handle_all()
    assert (batch.state, batch.body, batch.counts) == ("done", b"", {"charge": len(rows), "known": 0})
    assert posted(shop.team_id) == 100 * CREDIT - 3_000 * len(rows)


def test_records_that_cannot_be_read_do_not_keep_the_others(shop):
    made = make(shop)
    deliver(shop, {}, payload(secret_hash(made.secret)), {"id": 5}, None)

    (batch,) = handle_all()

    assert batch.counts == {"charge": 1, "known": 0, "unreadable": 3}
    assert [alert.kind for alert in open_alerts()] == ["keys.spend_unreadable"]


@pytest.mark.parametrize("body", [b"", b"hello", b'"text"', b"\xff\xfe"])
def test_what_is_no_delivery_is_counted_and_not_kept(shop, body):
    assert deliver(shop, body=body) == {"accepted": 0, "duplicates": 0, "rejected": 1}
    assert handle_all() == []


@pytest.mark.parametrize(
    "bearer", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic sandbox-callback", "sandbox-callback"]
)
def test_only_the_secret_opens_the_door(shop, bearer):
    told = shop.app.test_client().post(URL, data=b"[]", headers={"Authorization": bearer})

    assert (told.status_code, told.json["code"]) == (401, "unauthenticated")


def test_a_delivery_of_eight_megabytes_is_taken_and_a_larger_one_is_not(shop):
    just = b"[" + b" " * (BODY_BYTES_MAX - 2) + b"]"
    client = shop.app.test_client()

    assert client.post(URL, data=just, headers=BEARER).json["accepted"] == 1
    told = client.post(URL, data=just + b" ", headers=BEARER)
    assert (told.status_code, told.json["code"]) == (413, "too_large")


def test_without_a_secret_there_is_no_door(tmp_path: Path, redis_url: str):
    more = {"LITELLM_BASE_URL": "http://litellm.internal:4000", "LITELLM_MASTER_KEY": "sk-master-of-the-test"}
    app: Flask = create_app(settings_with(f"sqlite:///{tmp_path / 'empty.sqlite3'}", redis_url, "", tmp_path, **more))

    told = app.test_client().post(URL, data=b"[]", headers={"Authorization": "Bearer "})

    assert (told.status_code, told.json["setting"]) == (503, "LITELLM_WEBHOOK_SECRET")


def test_a_delivery_that_cannot_be_booked_is_tried_again_and_then_given_up(shop):
    deliver(shop, payload())
    batch = db.session.scalars(select(SpendBatch)).one()
    for _ in range(8):
        spend_tasks._put_off(batch.id, ValueError("no sk-tb-abcdefghijkl"))

    db.session.refresh(batch)
    assert (batch.state, batch.attempts) == ("dead", 8)
    assert "abcdefghijkl" not in batch.last_error
    assert [alert.kind for alert in open_alerts()] == ["keys.spend_batch_dead"]


# ---- The log ----


def read(log: Log) -> dict[str, int] | None:
    return spend_tasks.read(log, HOUSE)  # type: ignore[arg-type]  # it answers what is asked here


def test_the_log_is_read_until_a_short_page(shop):
    made = make(shop)
    log = Log([payload(secret_hash(made.secret)) for _ in range(SPEND_PAGE_ROWS + 3)])

    assert read(log) == {"charge": SPEND_PAGE_ROWS + 3, "known": 0}
    assert [page for *_, page in log.asked] == [1, 2]
    assert posted(shop.team_id) == 100 * CREDIT - 3_000 * (SPEND_PAGE_ROWS + 3)


def test_what_the_callback_brought_is_not_charged_by_the_log(shop):
    made = make(shop)
    rows = [payload(secret_hash(made.secret)) for _ in range(4)]
    deliver(shop, *rows[:2])
    handle_all()

    assert read(Log(rows)) == {"charge": 2, "known": 2}
    deliver(shop, *rows)
    handle_all()

    assert posted(shop.team_id) == 100 * CREDIT - 4 * 3_000
    assert len(usage(shop)) == 4


def test_a_reading_begins_before_the_last_one_by_the_longest_stream(shop):
    made, at = make(shop), now()
    log = Log([payload(secret_hash(made.secret), at=at)])
    read(log)
    # A stream of ten minutes that began before the reading and is written down after it.
    log.rows.append(payload(secret_hash(made.secret), at=at - timedelta(minutes=10)))

    with time_machine.travel(at + timedelta(seconds=30), tick=False):
        assert read(log) == {"charge": 1, "known": 1}
    assert log.asked[1][0] <= at - timedelta(minutes=10)


def test_the_cursor_stays_where_it_is_while_the_proxy_is_away(shop):
    made, at = make(shop), now()
    log = Log([])
    read(log)
    before = db.session.get_one(SpendCursor, "litellm").read_to
    log.is_down = True
    for _ in range(5):
        assert read(log) is None
    row = db.session.get_one(SpendCursor, "litellm", populate_existing=True)
    assert (row.read_to, row.failures) == (before, 5)
    assert [alert.kind for alert in open_alerts()] == ["keys.spend_not_read"]

    log.is_down = False
    with time_machine.travel(at + timedelta(hours=3), tick=False):
        log.rows.append(payload(secret_hash(made.secret), at=at + timedelta(hours=1)))
        assert read(log) == {"charge": 1, "known": 0}
        assert open_alerts() == []


def test_one_reader_at_a_time(shop):
    first = spend_cursor.take()
    db.session.commit()

    assert first is not None
    assert read(Log()) is None

    # It died: its lease ends, the next one begins where it began, and its own word counts no more.
    db.session.execute(update(SpendCursor).values(lease_until=now() - timedelta(seconds=1)))
    db.session.commit()
    assert read(Log()) == {"known": 0}
    assert not spend_cursor.finish(first)


def test_a_record_keeps_its_first_decision(shop):
    rows = [payload(secret_hash("sk-unknown"), end_user="late@example.net")]
    read(Log(rows))
    (line,) = db.session.scalars(select(SpendLine))
    assert (line.kind, line.feed) == ("foreign", "log")

    record = replace(read_callback(json.dumps(rows).encode()).records[0], end_user=shop.bob.email)
    assert book(record) == {"known": 1}
    assert usage(shop) == []
