"""A message is written with its cause and sent once, as what it is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest
from flask import Flask

from tests.notices.messages import change_settings, kept_notices, write_email, write_webhook
from tests.notices.receivers import mail_receiver, webhook_receiver
from tokenboard.audit.alerts import open_alerts
from tokenboard.core import jobs
from tokenboard.core.db import db
from tokenboard.notices import service, tasks
from tokenboard.notices.signatures import new_secret


def test_a_message_is_sent_by_the_job_its_cause_rang(
    app: Flask, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
):
    with mail_receiver() as receiver:
        change_settings(app, monkeypatch, smtp_url=f"smtp://127.0.0.1:{receiver.port}")
        with app.app_context():
            write_email()
            db.session.commit()
        run_jobs()

        (message,) = receiver.messages
        with app.app_context():
            (notice,) = kept_notices()

    assert message["Message-ID"].startswith(f"<{notice.id}@")
    assert (notice.state, notice.attempts, notice.last_error) == ("sent", 1, "")
    assert notice.sent_at is not None


def test_the_same_cause_sends_once(app: Flask):
    with app.app_context():
        write_email()
        db.session.commit()
        write_email()
        write_email(subject="another text")
        db.session.commit()

        assert [notice.subject for notice in kept_notices()] == ["80 % used"]
        assert len(jobs.job_queue().queue()) == 1


def test_a_cause_that_rolls_back_sends_nothing(app: Flask):
    with app.app_context():
        write_email()
        db.session.rollback()
        db.session.commit()

        assert kept_notices() == []
        assert len(jobs.job_queue().queue()) == 0


def test_a_line_break_in_a_subject_becomes_a_blank(app: Flask):
    with app.app_context():
        write_email(subject="Hello\r\nBcc: eve@example.com")
        db.session.commit()

        assert kept_notices()[0].subject == "Hello Bcc: eve@example.com"


def test_without_a_mail_server_development_keeps_the_message(app: Flask):
    with app.app_context():
        write_email()
        db.session.commit()
        tasks.sweep()

        (notice,) = kept_notices()
        assert (notice.state, notice.body) == ("sent", "Spent: $80\n")


def test_without_a_mail_server_production_gives_up_aloud(app: Flask, monkeypatch: pytest.MonkeyPatch):
    change_settings(app, monkeypatch, environment="production")
    with app.app_context():
        write_email()
        db.session.commit()
        tasks.sweep()

        assert kept_notices()[0].state == "dead"
        assert "SMTP_URL is not set" in open_alerts()[0].message


def test_a_webhook_arrives_signed_under_its_own_id(app: Flask):
    secret = new_secret()
    with webhook_receiver() as receiver, app.app_context():
        write_webhook(receiver.url, secret)
        db.session.commit()
        tasks.sweep()

        (request,) = receiver.requests
        (notice,) = kept_notices()

    stamp = request.headers["webhook-timestamp"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{notice.id}.{stamp}.".encode() + request.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-id"] == notice.id
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    body = json.loads(request.body)
    assert (body["type"], body["data"]) == ("budget.reached", {"step": "80"})
    assert notice.state == "sent"


@pytest.mark.parametrize("has_mail_server", [True, False])
def test_the_token_of_a_link_is_kept_sealed_and_forgotten_when_sent(
    app: Flask, monkeypatch: pytest.MonkeyPatch, has_mail_server: bool
):
    link = f"http://localhost/reset/{service.SECRET_PLACE}"
    with mail_receiver() as receiver, app.app_context():
        change_settings(app, monkeypatch, smtp_url=f"smtp://127.0.0.1:{receiver.port}" if has_mail_server else "")
        write_email(text=f"Open {link}\n", html=f"<a href='{link}'>Open</a>", secret="a-token-of-256-bits")
        db.session.commit()
        (waiting,) = kept_notices()
        assert "a-token" not in waiting.body + waiting.body_html + waiting.sealed_secret
        tasks.sweep()
        (sent,) = kept_notices()

        assert sent.state == "sent"
        if has_mail_server:
            assert receiver.messages[0].as_string().count("http://localhost/reset/a-token-of-256-bits") == 2
            assert sent.sealed_secret == ""
        assert ("a-token" in service.filled(sent, sent.body)) == (not has_mail_server)  # the outbox is the mailbox


def test_a_signing_secret_is_kept_sealed_and_forgotten_when_sent(app: Flask):
    secret = new_secret()
    with webhook_receiver() as receiver, app.app_context():
        write_webhook(receiver.url, secret)
        db.session.commit()
        waiting = kept_notices()[0]
        assert secret not in waiting.sealed_secret
        assert service.secret_of(waiting) == secret
        tasks.sweep()

        assert kept_notices()[0].sealed_secret == ""
