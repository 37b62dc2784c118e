"""The operator's commands."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.people import People
from tokenboard.accounts import second_factor_service, service as accounts
from tokenboard.accounts.models import Method, Person
from tokenboard.core.config import declarations, load_settings
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db
from tokenboard.notices import service as notices
from tokenboard.notices.models import Notice
from tokenboard.notices.signatures import new_secret
from tokenboard.ops import advice, service
from tokenboard.workspaces import channels

ROOT = Path(__file__).resolve().parents[2]


def _ops(app: Flask, *words: str):
    return app.test_cli_runner().invoke(args=["ops", *words])


def test_the_doctor_says_what_is_down_and_ends_with_one(app: Flask):
    done = _ops(app, "doctor")

    assert done.exit_code == 1
    assert re.search(r"^ok +database", done.output, re.MULTILINE)
    assert re.search(r"^DOWN +worker", done.output, re.MULTILINE)
    assert "SMTP_URL is unset" in done.output


def test_the_doctor_ends_with_zero_when_all_is_well(app: Flask):
    with app.app_context():
        service.beat("worker:here:1")
        db.session.commit()

    assert _ops(app, "doctor").exit_code == 0


def test_rotating_keys_reaches_every_room_and_can_be_repeated(people: People, monkeypatch: pytest.MonkeyPatch):
    app = people.app
    with app.app_context():
        channels.add_webhook(workspace_id=people.team_id, address="http://127.0.0.1:9/", actor="cli")
        notices.send_webhook(
            kind="k", address="http://127.0.0.1:9/", payload={}, secret=new_secret(), idempotency_key="k1"
        )
        second_factor_service.begin(db.session.get_one(Person, people.alice.id))
        accounts.open_session(db.session.get_one(Person, people.bob.id), method=Method.OIDC, id_token="hint")
        db.session.commit()
    settings = app.extensions["settings"]
    rotated = KeyRing({"k9": bytes(32), **settings.encryption_keys.keys})
    monkeypatch.setitem(app.extensions, "settings", _with_keys(settings, rotated))

    first, second = _ops(app, "rotate-keys"), _ops(app, "rotate-keys")

    assert first.exit_code == second.exit_code == 0
    assert "webhook secrets: 1 sealed again with k9" in first.output
    assert "messages' secrets: 1 sealed again with k9" in first.output
    assert "authenticators' secrets: 1 sealed again with k9" in first.output
    assert "sign-out hints: 1 sealed again with k9" in first.output
    assert len(re.findall(r": 0 sealed again", second.output)) == 7


def test_rotating_without_the_old_key_says_what_is_missing_and_changes_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
):
    app = people.app
    with app.app_context():
        channels.add_webhook(workspace_id=people.team_id, address="http://127.0.0.1:9/", actor="cli")
        db.session.commit()
        sealed = channels.channels(people.team_id)[0].sealed_secret
    settings = app.extensions["settings"]
    monkeypatch.setitem(app.extensions, "settings", _with_keys(settings, KeyRing({"k9": bytes(32)})))

    done = _ops(app, "rotate-keys")

    assert done.exit_code == 1
    assert "not in ENCRYPTION_KEYS" in done.output
    with app.app_context():
        assert channels.channels(people.team_id)[0].sealed_secret == sealed


def _with_keys(settings, key_ring: KeyRing):
    return dataclasses.replace(settings, encryption_keys=key_ring)


def test_sweeping_by_hand_runs_every_sweeper(app: Flask):
    with app.app_context():
        notices.send_email(kind="k", address="alice@example.com", subject="s", text="t", idempotency_key="k1")
        db.session.commit()

    done = _ops(app, "sweep")

    assert done.exit_code == 0, done.output
    assert "notices.sweep: done" in done.output
    with app.app_context():
        assert db.session.scalars(select(Notice)).one().state == "sent"


def test_the_example_environment_names_every_setting_and_no_value_of_ours(sqlite_app: Flask):
    printed = _ops(sqlite_app, "env-example").output

    assert printed == (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^#([A-Z_]+)=", printed, re.MULTILINE) == [one.name for _, one, _ in declarations()]


def test_the_settings_page_is_the_declarations(sqlite_app: Flask):
    assert _ops(sqlite_app, "settings-doc").output == (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def test_the_example_environment_starts_once_its_marks_are_taken_off(tmp_path: Path):
    lines = re.findall(r"^#([A-Z_]+)=(.*)$", advice.env_example(), re.MULTILINE)

    assert load_settings(dict(lines), instance_path=tmp_path).base_url == "https://tokens.example.com"


def test_good_settings_need_no_advice(tmp_path: Path):
    environ = {
        "TOKENBOARD_ENV": "production",
        "BASE_URL": "https://tokens.acme.dev",
        "SECRET_KEY": "Vg7kQ2mX9pLw4RtZ8sNcY3hBd6jFa1eU",
        "JWT_SECRET": "Zt5rK8wQ1nMv4XcL7pYb2HsGd9jFa3eU",
        "PASSWORD_PEPPER": "Hq6vT3zR9kWx2LmP8nCs5YbDj1gFa4eU",
        "CRON_SECRET": "Rd4wN7yB2mKx9QtV6zHs3PcLf8jGa5eU",
        "ENCRYPTION_KEYS": "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "DATABASE_URL": "postgres://u:p@db.acme.dev/tokens?sslmode=verify-full",
        "REDIS_URL": "rediss://:p@redis.acme.dev:6379",
        "SMTP_URL": "smtps://u:p@mail.acme.dev",
        "MAIL_FROM": "TokenBoard <alerts@acme.dev>",
        "OPENAI_API_KEY": "sk-one-of-theirs",
        "PROXY_HOPS": "1",
    }

    assert advice.advice(load_settings(environ, instance_path=tmp_path)) == []
    plain = {"REDIS_URL": "redis://h:6379", "PROXY_HOPS": "0", "DATABASE_URL": "postgres://u:p@db.acme.dev/tokens"}
    worse = load_settings(environ | plain, instance_path=tmp_path)
    assert [sentence.split()[0] for sentence in advice.advice(worse)] == ["REDIS_URL", "DATABASE_URL", "PROXY_HOPS"]
    for here in ("postgres://u:p@127.0.0.1/tokens", "postgres://u@/tokens?host=/run/postgresql"):
        assert advice.advice(load_settings(environ | {"DATABASE_URL": here}, instance_path=tmp_path)) == []
