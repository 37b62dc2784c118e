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
from tests.conftest import House
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
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.port}"
    finally:
        running.shutdown()
        thread.join(5)
        running.server_close()


@pytest.fixture
def market(house: House, people: People, sandbox_url: str) -> Iterator[Market]:
    """The house on a port of its own, so that the sandbox can send its webhooks. Its catalogue is taken over once a
    process, and put back after that."""
    with serving_house(house.app) as house_url:
        made = Market(house.app, people, sandbox_url, house_url)
        made.point_webhooks()
        if house.market is None:
            made.take_catalogue()
            house.market = house.picture()
        else:
            house.empty()
            house.market()
        made.count_from_here()
        yield made


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
