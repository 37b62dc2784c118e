"""0008: every workspace that was there before gets an empty wallet, and loses nothing on the way up or down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from tests.conftest import MIGRATIONS, settings_with
from tests.people import settle
from tokenboard.app import create_app
from tokenboard.core.db import db
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.invariants import check

_OPEN = "SELECT count(*) FROM membership"


@contextmanager
def _old_house(folder: Path, redis_url: str) -> Iterator[Flask]:
    """The cast, in a database as it was before there were wallets."""
    app = create_app(settings_with(f"sqlite:///{folder}/old.sqlite3", redis_url, "", folder, SIGNUP_CREDITS="0"))
    with app.app_context():
        upgrade(directory=MIGRATIONS)
    settle(app)
    with app.app_context():
        downgrade(directory=MIGRATIONS, revision="0006")
        yield app
        db.engine.dispose()


def test_old_workspaces_get_a_wallet_and_keep_their_members(tmp_path: Path, redis_url: str):
    with _old_house(tmp_path, redis_url) as app:
        before = db.session.execute(sa.text(_OPEN)).scalar_one()
        db.session.rollback()

        upgrade(directory=MIGRATIONS)

        wallets = db.session.execute(sa.text("SELECT ledger_account_id FROM workspace")).scalars().all()
        assert before == db.session.execute(sa.text(_OPEN)).scalar_one() == 10
        assert len(set(wallets)) == 7
        assert check() == []
        with app.test_request_context():
            assert ledger.balance(_dashed(wallets[0])).posted_micros == 0


def _dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def test_foreign_keys_are_watched_again_afterwards(tmp_path: Path, redis_url: str):
    with _old_house(tmp_path, redis_url):
        upgrade(directory=MIGRATIONS)
        assert db.session.execute(sa.text("PRAGMA foreign_keys")).scalar_one() == 1
        assert db.session.execute(sa.text("PRAGMA foreign_key_check")).all() == []
