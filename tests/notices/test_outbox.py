"""A message is written with its cause, sent once by one worker, tried again, and given up on aloud."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.notices.receivers import mail_receiver, webhook_receiver
from tokenboard.audit.alerts import open_alerts
from tokenboard.core import jobs
from tokenboard.core.crypto import CannotUnseal, KeyRing
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.notices import rules, service, tasks
from tokenboard.notices.models import Notice
from tokenboard.notices.signatures import new_secret

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _email(key: str = "k1", **more: str) -> None:
    service.send_email(
        kind="budget.reached",
        address="alice@example.com",
        subject=more.get("subject", "80 % used"),
        text="Spent: $80\n",
        idempotency_key=key,
    )


def _webhook(url: str, secret: str, key: str = "k1") -> None:
    service.send_webhook(kind="budget.reached", address=url, payload={"step": "80"}, secret=secret, idempotency_key=key)


def _notices() -> list[Notice]:
    db.session.expire_all()
    return list(db.session.scalars(select(Notice).order_by(Notice.created_at)))


def _with(app: Flask, monkeypatch: pytest.MonkeyPatch, **changed: object) -> None:
    monkeypatch.setitem(app.extensions, "settings", dataclasses.replace(app.extensions["settings"], **changed))


def test_a_message_is_sent_by_the_job_its_cause_rang(
    app: Flask, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
):
    with mail_receiver() as receiver:
        _with(app, monkeypatch, smtp_url=f"smtp://127.0.0.1:{receiver.port}")
        with app.app_context():
            _email()
            db.session.commit()
        run_jobs()

        (message,) = receiver.messages
        with app.app_context():
            (notice,) = _notices()

    assert message["Message-ID"].startswith(f"<{notice.id}@")
    assert (notice.state, notice.attempts, notice.last_error) == ("sent", 1, "")
    assert notice.sent_at is not None


def test_the_same_cause_sends_once(app: Flask):
    with app.app_context():
        _email()
        db.session.commit()
        _email()
        _email(subject="another text")
        db.session.commit()

        assert [notice.subject for notice in _notices()] == ["80 % used"]
        assert len(jobs.job_queue().queue()) == 1


def test_a_cause_that_rolls_back_sends_nothing(app: Flask):
    with app.app_context():
        _email()
        db.session.rollback()
        db.session.commit()

        assert _notices() == []
        assert len(jobs.job_queue().queue()) == 0


def test_a_line_break_in_a_subject_becomes_a_blank(app: Flask):
    with app.app_context():
        _email(subject="Hello\r\nBcc: eve@example.com")
        db.session.commit()

        assert _notices()[0].subject == "Hello Bcc: eve@example.com"


def test_without_a_mail_server_development_keeps_the_message(app: Flask):
    with app.app_context():
        _email()
        db.session.commit()
        tasks.sweep()

        (notice,) = _notices()
        assert (notice.state, notice.body) == ("sent", "Spent: $80\n")


def test_without_a_mail_server_production_gives_up_aloud(app: Flask, monkeypatch: pytest.MonkeyPatch):
    _with(app, monkeypatch, environment="production")
    with app.app_context():
        _email()
        db.session.commit()
        tasks.sweep()

        assert _notices()[0].state == "dead"
        assert "SMTP_URL is not set" in open_alerts()[0].message


def test_a_webhook_arrives_signed_under_its_own_id(app: Flask):
    secret = new_secret()
    with webhook_receiver() as receiver, app.app_context():
        _webhook(receiver.url, secret)
        db.session.commit()
        tasks.sweep()

        (request,) = receiver.requests
        (notice,) = _notices()

    stamp = request.headers["webhook-timestamp"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{notice.id}.{stamp}.".encode() + request.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-id"] == notice.id
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    body = json.loads(request.body)
    assert (body["type"], body["data"]) == ("budget.reached", {"step": "80"})
    assert notice.state == "sent"


def test_a_signing_secret_is_kept_sealed_and_forgotten_when_sent(app: Flask):
    secret = new_secret()
    with webhook_receiver() as receiver, app.app_context():
        _webhook(receiver.url, secret)
        db.session.commit()
        waiting = _notices()[0]
        assert secret not in waiting.sealed_secret
        assert service.signing_secret(waiting) == secret
        tasks.sweep()

        assert _notices()[0].sealed_secret == ""


def test_a_receiver_that_fails_is_asked_again_later_and_later_then_given_up_on(app: Flask):
    waits: list[timedelta] = []
    with webhook_receiver() as receiver, time_machine.travel(NOON, tick=False) as time, app.app_context():
        receiver.status = 500
        _webhook(receiver.url, new_secret())
        db.session.commit()
        for _ in range(20):
            tasks.sweep()
            notice = _notices()[0]
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


def test_a_receiver_that_is_gone_for_good_is_asked_once(app: Flask):
    with webhook_receiver() as receiver, app.app_context():
        receiver.status = 410
        _webhook(receiver.url, new_secret())
        db.session.commit()
        tasks.sweep()

        assert _notices()[0].state == "dead"
    assert len(receiver.requests) == 1


def test_a_message_is_not_sent_before_its_time(app: Flask):
    with webhook_receiver() as receiver, app.app_context():
        receiver.status = 500
        _webhook(receiver.url, new_secret())
        db.session.commit()
        for _ in range(3):
            tasks.sweep()
            tasks.send(_notices()[0].id)

    assert len(receiver.requests) == 1


def test_an_address_that_moved_into_a_private_network_is_not_asked(app: Flask, monkeypatch: pytest.MonkeyPatch):
    with webhook_receiver() as receiver, app.app_context():
        _webhook(receiver.url, new_secret())
        db.session.commit()
        _with(app, monkeypatch, environment="production")
        tasks.sweep()

        assert receiver.requests == []
        assert "https" in _notices()[0].last_error


def test_two_workers_at_once_send_one_message(app: Flask):
    ready = threading.Barrier(4)
    with webhook_receiver() as receiver:
        with app.app_context():
            _webhook(receiver.url, new_secret())
            db.session.commit()
            (notice_id,) = [notice.id for notice in _notices()]

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
        _webhook(receiver.url, new_secret())
        db.session.commit()
        service.take(_notices()[0].id)
        db.session.commit()  # and here the worker is killed

        tasks.sweep()
        assert receiver.requests == []
        time.shift(rules.LEASE)
        tasks.sweep()

        assert len(receiver.requests) == 1
        assert _notices()[0].attempts == 2


def test_a_worker_that_comes_back_too_late_writes_nothing(app: Flask):
    with time_machine.travel(NOON, tick=False) as time, app.app_context():
        _email()
        db.session.commit()
        late = service.take(_notices()[0].id)
        assert late is not None
        db.session.commit()
        db.session.expunge(late)
        time.shift(rules.LEASE)
        service.take(late.id)
        db.session.commit()

        service.mark_failed(late, "too slow", is_final=True)
        db.session.commit()

        assert (_notices()[0].state, _notices()[0].last_error) == ("waiting", "")
        assert open_alerts() == []


def test_a_failure_is_kept_without_its_secrets(app: Flask):
    with app.app_context():
        _email()
        db.session.commit()
        notice = service.take(_notices()[0].id)
        assert notice is not None
        service.mark_failed(notice, "refused: Bearer abcdefghijkl")
        db.session.commit()

        assert _notices()[0].last_error == "refused: Bearer [hidden]"


def test_waiting_secrets_move_to_the_new_key(app: Flask, monkeypatch: pytest.MonkeyPatch):
    secret = new_secret()
    with app.app_context():
        _webhook("http://127.0.0.1:1/", secret)
        db.session.commit()
        old = settings().encryption_keys
        rotated = KeyRing({"k9": bytes(32), **old.keys})

        assert (service.reseal(rotated), service.reseal(rotated)) == (1, 0)
        db.session.commit()

        _with(app, monkeypatch, encryption_keys=KeyRing({"k9": bytes(32)}))
        assert service.signing_secret(_notices()[0]) == secret
        _with(app, monkeypatch, encryption_keys=old)
        with pytest.raises(CannotUnseal):
            service.signing_secret(_notices()[0])


def test_a_secret_whose_key_is_gone_ends_the_message(app: Flask, monkeypatch: pytest.MonkeyPatch):
    with webhook_receiver() as receiver, app.app_context():
        _webhook(receiver.url, new_secret())
        db.session.commit()
        _with(app, monkeypatch, encryption_keys=KeyRing({"k9": bytes(32)}))
        tasks.sweep()

        assert receiver.requests == []
        assert _notices()[0].state == "dead"
