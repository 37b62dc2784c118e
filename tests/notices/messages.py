"""Messages to put into the outbox, and settings to send them with."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask
from sqlalchemy import select

from tokenboard.core.db import db
from tokenboard.notices import service
from tokenboard.notices.models import Notice


def write_email(key: str = "k1", **more: str) -> None:
    service.send_email(
        kind="budget.reached",
        address="alice@example.com",
        subject=more.get("subject", "80 % used"),
        text=more.get("text", "Spent: $80\n"),
        html=more.get("html", ""),
        secret=more.get("secret", ""),
        idempotency_key=key,
    )


def write_webhook(url: str, secret: str, key: str = "k1") -> None:
    service.send_webhook(kind="budget.reached", address=url, payload={"step": "80"}, secret=secret, idempotency_key=key)


def kept_notices() -> list[Notice]:
    db.session.expire_all()
    return list(db.session.scalars(select(Notice).order_by(Notice.created_at)))


def change_settings(app: Flask, monkeypatch: pytest.MonkeyPatch, **changed: object) -> None:
    monkeypatch.setitem(app.extensions, "settings", dataclasses.replace(app.extensions["settings"], **changed))
