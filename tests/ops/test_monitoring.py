"""/admin/monitoring, its log, /api/admin/monitoring, /metrics, and the settings check."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import time_machine
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import METRICS_TOKEN as TOKEN
from tests.mailbox import settings
from tests.people import Browser, People, Someone
from tokenboard.core.config import declarations
from tokenboard.core.db import db
from tokenboard.ops import monitoring_queries, tasks
from tokenboard.ops.models import MonitoringSample

Open = Callable[[Someone | None], Browser]
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def sampled(people: People, *found: tuple[int, list[str]]) -> None:
    with people.app.app_context():
        for minutes, down in found:
            at = NOON + timedelta(minutes=minutes)
            figures = {"messages": minutes, "messages_late": 9, "queue_waiting": 9}
            db.session.add(MonitoringSample(taken_at=at, is_ok=not down, down=down, figures=figures))
        db.session.commit()


def test_the_log_tells_spans_of_one_state_and_when_nobody_looked(people: People, browser: Open):
    sampled(people, (0, []), (5, []), (10, ["queue"]), (15, ["queue"]), (20, []), (60, []))

    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        with people.app.app_context():
            spans = monitoring_queries.spans(timedelta(days=1), limit=50)
        shown = browser(people.ada).get("/admin/monitoring").text

    told = [(one.down, one.is_silent, (one.to_at - one.from_at) // timedelta(minutes=1)) for one in spans[::-1]]
    assert told == [((), False, 5), (("queue",), False, 10), ((), False, 5), ((), True, 40), ((), False, 0)]
    assert spans[-1].most_waiting == 5
    assert "Down: queue" in shown
    assert "Nobody looked" in shown


def test_the_periodic_job_writes_a_line(people: People):
    with people.app.app_context():
        tasks.watch()
        (row,) = db.session.scalars(db.select(MonitoringSample)).all()

    assert "worker" in row.down  # none beats in a test
    assert row.figures["messages"] == 0
    assert row.figures["queue_failed"] == 0


def test_programs_see_queues_syncs_webhooks_and_books(people: People):
    told = people.bearer(people.ada).get("/api/admin/monitoring").json

    assert told["status"] == "down"
    assert told["parts"]["database"]["ok"]
    assert told["queue"] == {"waiting": 0, "running": 0, "failed": 0, "scheduled": 0}
    assert told["waiting"]["webhooks"] == {"waiting": 0, "late": 0, "oldestSeconds": 0}
    assert told["ledger"]["status"] == "unchecked"
    assert people.bearer(people.bob).get("/api/admin/monitoring").status_code == 404


def test_metrics_are_opened_by_their_token_alone(people: People):
    def asked(authorization: str) -> int:
        client = people.app.test_client()
        return client.get("/metrics", headers={"Authorization": authorization} if authorization else {}).status_code

    assert [asked(one) for one in ("", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}")] == [401] * 4
    assert people.browser(people.ada).get("/metrics").status_code == 401
    assert asked(f"bearer {TOKEN}") == 200
    with settings(people.app, metrics_token=""):
        assert asked(f"Bearer {TOKEN}") == asked("Bearer ") == 503


def test_metrics_are_gauges_whose_labels_are_known_words(people: People):
    answer = people.app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    families = {one.name: one for one in text_string_to_metric_families(answer.text)}

    assert answer.mimetype == "text/plain"
    assert {one.type for one in families.values()} == {"gauge"}
    assert {sample.labels["part"]: sample.value for sample in families["tokenboard_part_up"].samples}["database"] == 1
    assert families["tokenboard_people"].samples[0].value == 6
    assert {sample.labels["kind"] for sample in families["tokenboard_rows_waiting"].samples} >= {"messages", "webhooks"}
    assert "example.com" not in answer.text


def test_the_settings_check_shows_every_setting_and_no_secret(people: People, browser: Open):
    shown = browser(people.ada).get("/admin/settings").text

    here = people.app.extensions["settings"]
    assert [one.name for _, one, _ in declarations() if f">{one.name}<" not in shown] == []
    secrets = [str(getattr(here, name)) for name, one, _ in declarations() if one.is_secret and getattr(here, name)]
    assert [one for one in secrets if one in shown] == []
    assert "TOKENBOARD_ENV is development" in shown
