"""Every ledger test that takes `books` runs on SQLite and on PostgreSQL, inside an application context."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tokenboard.core.db import db


@pytest.fixture
def books(app: Flask) -> Iterator[Flask]:
    """The application, its context pushed: the ledger works in `db.session`."""
    with app.app_context():
        yield app
        db.session.rollback()
