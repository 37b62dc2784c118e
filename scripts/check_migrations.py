"""Migrations, on one database: up, "the models are what they build", down to nothing, up again, one head.

Runs inside `.venv`: `python -m scripts.check_migrations sqlite|postgres`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from scripts.house import here
from tests.postgres import NoPostgres, running_postgres
from tokenboard.app import create_app
from tokenboard.core.config import load_settings
from tokenboard.core.db import db

_KEPT = {"alembic_version"}


def main(words: list[str]) -> int:
    """Print every fault; 1 when there is one."""
    kind = words[0] if words else "sqlite"
    with tempfile.TemporaryDirectory() as folder, _database(kind, Path(folder)) as url:
        if url is None:
            return 0
        faults = check(_app(url, Path(folder)))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def check(app: Flask) -> list[str]:
    """What is wrong with the migrations on this application's database."""
    folder = str(here().root / "migrations")
    heads = ScriptDirectory(folder).get_heads()
    faults = [] if len(heads) == 1 else [f"one head is wanted, there are {len(heads)}: {', '.join(heads)}"]
    with app.app_context():
        flask_migrate.upgrade(folder)
        faults += _differences()
        flask_migrate.downgrade(folder, revision="base")
        faults += [f"downgrade leaves the table {name} behind" for name in sorted(set(_tables()) - _KEPT)]
        flask_migrate.upgrade(folder)
        faults += [f"after down and up again: {fault}" for fault in _differences()]
        db.engine.dispose()
    return faults


def _differences() -> list[str]:
    """What the models say and the database does not, and the other way round."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [f"models and migrations differ: {change}" for change in compare_metadata(context, db.metadata)]
    return found + _check_differences()


def _check_differences() -> list[str]:
    """CHECK constraints by name; Alembic does not compare them."""
    inspector = sa.inspect(db.engine)
    faults = []
    there = set(inspector.get_table_names())
    for table in (table for table in db.metadata.sorted_tables if table.name in there):
        wanted = {str(rule.name) for rule in table.constraints if isinstance(rule, sa.CheckConstraint) and rule.name}
        built = {str(rule["name"]) for rule in inspector.get_check_constraints(table.name) if rule["name"]}
        faults += [f"{table.name}: the models have the check {name}, the migrations do not" for name in wanted - built]
        faults += [f"{table.name}: the migrations have the check {name}, the models do not" for name in built - wanted]
    return sorted(faults)


def _tables() -> list[str]:
    return sa.inspect(db.engine).get_table_names()


def _app(url: str, folder: Path) -> Flask:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
    settings = load_settings(kept | {"DATABASE_URL": url, "LOG_LEVEL": "WARNING"}, instance_path=folder)
    return create_app(settings)


@contextlib.contextmanager
def _database(kind: str, folder: Path) -> Iterator[str | None]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'check.sqlite3'}"
        return
    given = os.environ.get("TEST_DATABASE_URL", "").strip()
    with contextlib.ExitStack() as stack:
        try:
            admin = given or stack.enter_context(running_postgres())
        except NoPostgres as why:
            print(f"not checked on PostgreSQL: {why}")
            yield None
            return
        yield stack.enter_context(_fresh(sa.make_url(admin)))


@contextlib.contextmanager
def _fresh(admin: sa.URL) -> Iterator[str]:
    """A database of its own on that server, gone afterwards."""
    name = f"tokenboard_check_{os.getpid()}"
    engine = sa.create_engine(admin, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield admin.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
