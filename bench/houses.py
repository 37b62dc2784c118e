"""Applications to measure: migrated, on a fresh SQLite file or in a fresh PostgreSQL database."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from tests.postgres import running_postgres
from tokenboard.app import create_app
from tokenboard.core.config import ROOT, load_settings


@contextlib.contextmanager
def database_url(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database: `sqlite` or `postgresql`."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.sqlite3'}"
        return
    given = os.environ.get("BENCH_DATABASE_URL")
    with contextlib.nullcontext(given) if given else running_postgres(folder, is_durable=True) as url:
        yield str(url)


@contextlib.contextmanager
def application(kind: str, **more: str) -> Iterator[Flask]:
    """A migrated application without a queue and without a log."""
    with tempfile.TemporaryDirectory() as name, database_url(kind, Path(name)) as url:
        folder = Path(name)
        environ = {"DATABASE_URL": url, "LOG_LEVEL": "ERROR", "BCRYPT_COST": "4"} | more
        app = create_app(load_settings(environ, instance_path=folder))
        with app.app_context():
            upgrade(directory=str(ROOT / "migrations"))
        yield app
