"""Redis is gone for the whole test: pages answer quickly, limits hold, nothing that was asked for is lost (F3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select

from tests.conftest import MIGRATIONS, settings_with
from tests.patience import Patience
from tests.people import People, settle
from tokenboard.app import create_app
from tokenboard.core.db import db
from tokenboard.notices import service
from tokenboard.notices.models import Notice
from tokenboard.notices.tasks import sweep
from tokenboard.web.limits import limiter

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def lonely_app(tmp_path: Path, sandbox_url: str) -> Iterator[Flask]:
    """An application that never had a Redis. The limiter is one for the process: its state is put back afterwards."""
    kept = dict(vars(limiter))
    app = create_app(settings_with(f"sqlite:///{tmp_path}/db.sqlite3", NOWHERE, sandbox_url, tmp_path))
    with app.app_context():
        upgrade(directory=MIGRATIONS)
    yield app
    with app.app_context():
        db.engine.dispose()
    vars(limiter).clear()
    vars(limiter).update(kept)


@pytest.fixture
def lonely_people(lonely_app: Flask) -> People:
    return settle(lonely_app)


def test_pages_answer_quickly(lonely_people: People, redis_patience: Patience):
    alice = lonely_people.browser(lonely_people.alice)

    statuses = [alice.get(path).status_code for path in ("/settings/notifications", "/dev/outbox", "/healthz")]

    assert statuses == [200, 200, 200]
    assert redis_patience.slept_seconds == 0


def test_what_was_written_is_sent_by_the_sweeper(lonely_people: People, redis_patience: Patience):
    with lonely_people.app.app_context():
        service.send_email(kind="k", address="a@example.com", subject="s", text="t", idempotency_key="k1")
        db.session.commit()
        sweep()

        assert db.session.scalars(select(Notice)).one().state == "sent"
    assert redis_patience.slept_seconds == 0


def test_limits_hold_in_this_processs_memory(lonely_people: People, redis_patience: Patience):
    alice = lonely_people.browser(lonely_people.alice)
    path = f"/settings/notifications/{lonely_people.team_id}/test"

    statuses = [alice.post(path, {"form_key": lonely_people.team_id}).status_code for _ in range(8)]

    assert statuses == [404] * 6 + [429] * 2
    assert redis_patience.slept_seconds == 0


def test_limits_hold_in_redis_and_say_when_again(people: People, browser, redis_url: str):
    alice = browser(people.alice)
    path = f"/settings/notifications/{people.team_id}/test"

    answers = [alice.post(path, {"form_key": people.team_id}) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [404] * 6 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert redis.Redis.from_url(redis_url).keys("LIMIT*")
