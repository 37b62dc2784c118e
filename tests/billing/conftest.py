"""The shop, on both databases."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.billing.market import Market
from tests.billing.shop import Shop
from tests.billing.stripe_stand_in import StandIns
from tests.people import People
from tokenboard.core.config import Settings
from tokenboard.sandbox.serving import QuietHandler
from tokenboard.wiring import WiredClients


@pytest.fixture
def providers(app: Flask, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    """Both providers stood in for, in this application, for this test."""
    made = StandIns()
    monkeypatch.setitem(app.extensions, "clients", made)
    return made


@pytest.fixture
def shop(app: Flask, people: People, providers: StandIns) -> Shop:
    return Shop(app, people, providers)


@contextlib.contextmanager
def serving_house(app: Flask) -> Iterator[str]:
    """The house itself on a port of its own."""
    running = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.port}"
    finally:
        running.shutdown()
        thread.join(5)
        running.server_close()


@pytest.fixture
def market(app: Flask, people: People, sandbox_url: str) -> Iterator[Market]:
    """The house on a port of its own, so that the sandbox can send its webhooks."""
    with serving_house(app) as house_url:
        yield Market(app, people, sandbox_url, house_url).open()


@pytest.fixture
def set_to(market: Market, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`set_to(usd_to_kes_rate=Decimal(130))`: the application's settings for this test."""

    def change(**changed: object) -> None:
        settings: Settings = market.app.extensions["settings"]
        other = settings.__class__(
            **{name: getattr(settings, name) for name in settings.__dataclass_fields__} | changed
        )
        monkeypatch.setitem(market.app.extensions, "settings", other)
        monkeypatch.setitem(market.app.extensions, "clients", WiredClients(other))

    return change
