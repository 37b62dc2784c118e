"""Alembic's entry: uses the application's own engine, so that one rule says which database is meant."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection

import tokenboard.accounts.models
import tokenboard.accounts.security_models
import tokenboard.audit.models
import tokenboard.billing.inbox_models
import tokenboard.billing.models
import tokenboard.billing.promo_models
import tokenboard.billing.reconcile_models
import tokenboard.chat.models
import tokenboard.costs.models
import tokenboard.keys.models
import tokenboard.keys.spend_models
import tokenboard.ledger.models
import tokenboard.metering.models
import tokenboard.metering.usage_models
import tokenboard.notices.announcement_models
import tokenboard.notices.models
import tokenboard.ops.models
import tokenboard.ops.threeway_models
import tokenboard.wallet.models
import tokenboard.workspaces.models  # noqa: F401
from tokenboard.core.db import UtcDateTime, db


def _render_type(kind: str, value: object, _context: object) -> str | bool:
    """A migration names plain column types: it must still run when our own type has moved or changed."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(value, UtcDateTime) else False


def _migrate(connection: Connection) -> None:
    # Batch mode: SQLite cannot ALTER most things, so Alembic rebuilds the table there.
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_item=_render_type,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    """Migrate the current application's database."""
    with current_app.extensions["migrate"].db.engine.connect() as connection:
        _rest_foreign_keys(connection, "OFF")
        _migrate(connection)
        connection.commit()
        _rest_foreign_keys(connection, "ON")


def _rest_foreign_keys(connection: Connection, word: str) -> None:
    """SQLite rebuilds a table by dropping the old one, which would take every row that points at it along (CASCADE).

    Past SQLAlchemy: the pragma does nothing inside a transaction.
    """
    if connection.dialect.name == "sqlite":
        driver_connection = connection.connection.driver_connection
        assert driver_connection is not None, "the connection is open"
        driver_connection.execute(f"PRAGMA foreign_keys={word}")


run()
