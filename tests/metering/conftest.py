"""Metering's tests work in `db.session`: `shop` is the cast with an application context pushed, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import House
from tests.costs.counting import count_queries
from tests.metering.calling import fund, price
from tests.people import People
from tokenboard.core.db import db

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
