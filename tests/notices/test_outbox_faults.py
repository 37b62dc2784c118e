"""A message that does not get through is tried again, by one worker at a time, and given up on aloud."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from tests.notices.messages import change_settings, kept_notices, write_email, write_webhook
from tests.notices.receivers import webhook_receiver
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.crypto import CannotUnseal, KeyRing
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.notices import rules, service, tasks
from tokenboard.notices.signatures import new_secret

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_a_receiver_that_fails_is_asked_again_later_and_later_then_given_up_on(app: Flask):
    waits: list[timedelta] = []
    with webhook_receiver() as receiver, time_machine.travel(NOON, tick=False) as time, app.app_context():
        receiver.status = 500
        write_webhook(receiver.url, new_secret())
        db.session.commit()
        for _ in range(20):
            tasks.sweep()
            notice = kept_notices()[0]
            if notice.state == "dead":
                break
            waits.append(notice.next_attempt_at - datetime.now(UTC))
            time.move_to(notice.next_attempt_at)
        (alert,) = open_alerts()

    assert len(receiver.requests) == rules.ATTEMPTS_MAX == 7
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    bare = [timedelta(seconds=seconds) for seconds in (10, 60, 300, 1_800, 7_200, 21_600)]
    assert all(least <= wait <= least * 1.2 for least, wait in zip(bare, waits, strict=True))
    assert "the receiver answered 500" in notice.last_error
    assert (alert.kind, alert.times) == ("notices.dead", 1)


def test_a_message_that_kills_every_worker_is_given_up_on(app: Flask):
    with time_machine.travel(NOON, tick=False) as time, app.app_context():
        write_email()
        db.session.commit()
        for _ in range(rules.ATTEMPTS_MAX):
            assert service.take(kept_notices()[0].id) is not None
            db.session.commit()  # and here the worker dies
            time.shift(rules.LEASE + timedelta(seconds=1))
        tasks.sweep()

        assert (kept_notices()[0].state, [alert.kind for alert in open_alerts()]) == ("dead", ["notices.dead"])


def test_a_receiver_that_is_gone_for_good_is_asked_once(app: Flask):
    with webhook_receiver() as receiver, app.app_context():
        receiver.status = 410
        write_webhook(receiver.url, new_secret())
        db.session.commit()
        tasks.sweep()

        assert kept_notices()[0].state == "dead"
    assert len(receiver.requests) == 1


def test_a_message_is_not_sent_before_its_time(app: Flask):
    with webhook_receiver() as receiver, app.app_context():
        receiver.status = 500
        write_webhook(receiver.url, new_secret())
        db.session.commit()
        for _ in range(3):
            tasks.sweep()
            tasks.send(kept_notices()[0].id)

    assert len(receiver.requests) == 1


def test_an_address_that_moved_into_a_private_network_is_not_asked(app: Flask, monkeypatch: pytest.MonkeyPatch):
    with webhook_receiver() as receiver, app.app_context():
        write_webhook(receiver.url, new_secret())
        db.session.commit()
        change_settings(app, monkeypatch, environment="production")
        tasks.sweep()

        assert receiver.requests == []
        assert "https" in kept_notices()[0].last_error


def test_a_host_that_left_the_operators_list_is_not_asked(app: Flask, monkeypatch: pytest.MonkeyPatch):
    with webhook_receiver() as receiver, app.app_context():
        write_webhook(receiver.url, new_secret())
        db.session.commit()
        change_settings(app, monkeypatch, webhook_hosts=("hooks.acme.dev",))
        tasks.sweep()

        assert receiver.requests == []
        assert "operator's list" in kept_notices()[0].last_error


def test_two_workers_at_once_send_one_message(app: Flask):
    ready = threading.Barrier(4)
    with webhook_receiver() as receiver:
        with app.app_context():
            write_webhook(receiver.url, new_secret())
            db.session.commit()
            (notice_id,) = [notice.id for notice in kept_notices()]

        def work() -> None:
            with app.app_context():
                ready.wait(5)
                tasks.send(notice_id)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(15)

    assert len(receiver.requests) == 1


def test_a_worker_that_died_in_mid_sending_is_followed_by_another_after_the_lease(app: Flask):
    with webhook_receiver() as receiver, time_machine.travel(NOON, tick=False) as time, app.app_context():
        write_webhook(receiver.url, new_secret())
        db.session.commit()
        service.take(kept_notices()[0].id)
        db.session.commit()  # and here the worker is killed

        tasks.sweep()
        assert receiver.requests == []
        time.shift(rules.LEASE)
        tasks.sweep()

        assert len(receiver.requests) == 1
        assert kept_notices()[0].attempts == 2


def test_a_worker_that_comes_back_too_late_writes_nothing(app: Flask):
    with time_machine.travel(NOON, tick=False) as time, app.app_context():
        write_email()
        db.session.commit()
        late = service.take(kept_notices()[0].id)
        assert late is not None
        db.session.commit()
        db.session.expunge(late)
        time.shift(rules.LEASE)
        service.take(late.id)
        db.session.commit()

        service.mark_failed(late, "too slow", is_final=True)
        db.session.commit()

        assert (kept_notices()[0].state, kept_notices()[0].last_error) == ("waiting", "")
        assert open_alerts() == []


def test_a_failure_is_kept_without_its_secrets(app: Flask):
    with app.app_context():
        write_email()
        db.session.commit()
        notice = service.take(kept_notices()[0].id)
        assert notice is not None
        service.mark_failed(notice, "refused: Bearer abcdefghijkl")
        db.session.commit()

        assert kept_notices()[0].last_error == "refused: Bearer [hidden]"


def test_waiting_secrets_move_to_the_new_key(app: Flask, monkeypatch: pytest.MonkeyPatch):
    secret = new_secret()
    with app.app_context():
        write_webhook("http://127.0.0.1:1/", secret)
        db.session.commit()
        old = settings().encryption_keys
        rotated = KeyRing({"k9": bytes(32), **old.keys})

        assert (service.reseal(rotated), service.reseal(rotated)) == (1, 0)
        db.session.commit()

        change_settings(app, monkeypatch, encryption_keys=KeyRing({"k9": bytes(32)}))
        assert service.secret_of(kept_notices()[0]) == secret
        change_settings(app, monkeypatch, encryption_keys=old)
        with pytest.raises(CannotUnseal):
            service.secret_of(kept_notices()[0])


def test_a_secret_whose_key_is_gone_ends_the_message(app: Flask, monkeypatch: pytest.MonkeyPatch):
    with webhook_receiver() as receiver, app.app_context():
        write_webhook(receiver.url, new_secret())
        db.session.commit()
        change_settings(app, monkeypatch, encryption_keys=KeyRing({"k9": bytes(32)}))
        tasks.sweep()

        assert receiver.requests == []
        assert kept_notices()[0].state == "dead"
