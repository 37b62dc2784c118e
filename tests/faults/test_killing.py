"""Web processes and workers are killed while answers stream: nobody pays for what was not delivered, nothing is lost.

The whole of it (50 kills, 300 streams, 5 restarts of the database) is a command: see `killing.py`.
"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.faults import checking
from tests.faults.killing import Plan, run
from tests.faults.readers import Reading, read
from tests.faults.site import LONG, Site, site
from tests.sizes import sized
from tokenboard.core.db import db
from tokenboard.metering import service
from tokenboard.metering.facts import Outcome
from tokenboard.metering.models import MeteredCall

pytestmark = pytest.mark.slow


def test_kills_break_no_promise(app: Flask, tmp_path: Path):
    kills = sized(3, 6)
    with site(app, tmp_path) as running:
        result = run(running, Plan(streams=4 * kills, kills=kills, readers=2 * kills, pause_seconds=(0.2, 0.7)))

    assert result.faults == [], result.spoken()
    assert sum(result.kills.values()) == kills


def test_a_careless_settlement_is_found_out(app: Flask, tmp_path: Path):
    """The check can fail: here what a dead process delivered is given away."""
    with site(app, tmp_path, has_worker=False, WEB_CONCURRENCY="1") as running:
        reading = _cut_off(running)
        with app.app_context():
            for call_id in db.session.scalars(sa.select(MeteredCall.id).where(MeteredCall.state == "open")):
                service.settle(call_id=call_id, outcome=Outcome("interrupted", delivered_bytes=0))
            db.session.commit()

    assert reading.text
    assert any("were delivered" in fault for fault in checking.faults_of(app, [reading]))


def _cut_off(running: Site) -> Reading:
    """What a reader has when its process is killed in mid-answer."""
    found: list[Reading] = []
    reader = threading.Thread(target=lambda: found.append(read(running.port, running.wish(LONG), returns=False)))
    reader.start()
    checking.wait_until(lambda: checking.recorded_chars(running.app) > 100)
    running.kill_web()
    reader.join()
    return found[0]
