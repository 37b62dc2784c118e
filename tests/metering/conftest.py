"""Metering's tests work in `db.session`: `shop` is the cast with an application context pushed, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import House
from tests.costs.counting import count_queries
from tests.faults.site import upstream
from tests.metering.answers import QUICK, REFUSED, SLOW, Asking
from tests.metering.calling import fund, price
from tests.people import People
from tokenboard.core.db import db
from tokenboard.metering.generations import Generations
from tokenboard.providers.chat_client import ChatClient

__all__ = ["count_queries"]


@pytest.fixture
def shop(people: People) -> Iterator[People]:
    """The cast, one model with a price, and 100 credits in the team's wallet."""
    with people.app.app_context():
        price()
        fund(people.team_id, 100)
        yield people
        db.session.rollback()


@pytest.fixture
def postgresql_shop(postgresql_house: House) -> Iterator[None]:
    """An empty house on PostgreSQL, for what only that database does."""
    postgresql_house.empty()
    with postgresql_house.app.app_context():
        yield
        db.session.rollback()


@pytest.fixture(scope="session")
def upstream_url() -> Iterator[str]:
    with upstream() as url:
        yield url


@pytest.fixture
def running(shop: People, upstream_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Generations]:
    """This process's generations, asking the tests' upstream; all ended when the test is."""
    app, client = shop.app, ChatClient(upstream_url, "sk-test")
    monkeypatch.setitem(app.extensions, "clients", Asking(client))
    made = Generations(app, app.extensions["settings"])
    monkeypatch.setitem(app.extensions, "generations", made)
    for model in (QUICK, SLOW, REFUSED):
        price(model, max_output_tokens=8_192)
    yield made
    assert made.drain(20) == 0
    client.close()
