"""SIGTERM while answers stream: every reader hears a clean end, and nothing is left unsettled."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.faults import checking
from tests.faults.readers import Reading, events_of, read
from tests.faults.site import ENDLESS, Site, site
from tokenboard.core.db import db, read_only
from tokenboard.metering.models import MeteredCall

pytestmark = pytest.mark.slow

STREAMS = 20


@contextlib.contextmanager
def _reading(running: Site, count: int) -> Iterator[list[Reading]]:
    """So many answers being read; at the end every reader has come to its own."""
    readings: list[Reading] = []
    crowd = [
        threading.Thread(target=lambda: readings.append(read(running.port, running.wish(ENDLESS), returns=False)))
        for _ in range(count)
    ]
    for reader in crowd:
        reader.start()
    checking.wait_until(lambda: _streaming(running.app) == count)
    yield readings
    for reader in crowd:
        reader.join()


def _streaming(app: Flask) -> int:
    with app.app_context(), read_only():
        begun = (MeteredCall.state == "open", MeteredCall.recorded_chars > 0)
        return db.session.scalar(sa.select(sa.func.count()).where(*begun))


def test_twenty_streams_end_cleanly_and_nothing_is_left_unsettled(app: Flask, tmp_path: Path):
    with site(app, tmp_path, has_worker=False) as running:
        with _reading(running, STREAMS) as readings:
            asked_at = time.monotonic()
            running.web.send_signal(signal.SIGTERM)
        took_seconds = max(reading.ended_at for reading in readings) - asked_at
        running.web.wait(25)

        assert [reading.end and reading.end["reason"] for reading in readings] == ["interrupted"] * STREAMS
        assert {reading.end["error"] for reading in readings} == {"restarting"}
        assert all(reading.end["credits_micros"] > 0 for reading in readings)
        assert took_seconds < 20
        assert checking.open_calls(app) == 0
        assert checking.faults_of(app, readings) == []


def test_answers_whose_readers_have_left_are_settled_too(app: Flask, tmp_path: Path):
    """No request keeps the process alive for them: it waits by itself."""
    with site(app, tmp_path, has_worker=False, WEB_CONCURRENCY="1") as running:
        for _ in range(3):
            reading = _left_early(running)
            assert reading.call_id
        assert checking.open_calls(app) == 3
        running.web.send_signal(signal.SIGTERM)
        running.web.wait(25)

        assert checking.open_calls(app) == 0


def _left_early(running: Site) -> Reading:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)) as connection:
        wish = json.dumps(running.wish(ENDLESS))
        connection.request("POST", "/test/answers", wish, {"Content-Type": "application/json"})
        events = events_of(connection.getresponse())
        return Reading(200, next(events).data["call_id"], next(events).data["content"])
