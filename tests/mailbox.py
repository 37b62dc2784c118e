"""What stands in the outbox, as its reader would see it, and settings that differ for a moment."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import select

from tokenboard.core.db import db
from tokenboard.notices.models import Notice
from tokenboard.notices.service import filled

_LINK = re.compile(r"http://localhost:8000(/\S+)")


def mails(app: Flask, kind: str) -> list[Notice]:
    """The messages of one kind, the oldest first."""
    with app.app_context():
        asked = select(Notice).where(Notice.kind == kind).order_by(Notice.created_at, Notice.id)
        return list(db.session.scalars(asked))


def link(app: Flask, kind: str) -> str:
    """The path in the newest message of one kind, as it goes out."""
    with app.app_context():
        newest = mails(app, kind)[-1]
        return _LINK.findall(filled(newest, newest.body))[0]


def token(app: Flask, kind: str) -> str:
    """The last part of that path."""
    return link(app, kind).rpartition("/")[2]


@contextmanager
def settings(app: Flask, **changed: object) -> Iterator[None]:
    """The application as if it had been started with other settings."""
    before = app.extensions["settings"]
    app.extensions["settings"] = dataclasses.replace(before, **changed)
    try:
        yield
    finally:
        app.extensions["settings"] = before


SMTP = "smtp://mail.example.com"
