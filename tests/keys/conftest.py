"""Keys' tests work in `db.session`: `shop` is the cast, a model with a price, 100 credits, and a proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rq import Queue

from tests.costs.counting import count_queries
from tests.keys.proxy import Proxy
from tests.metering.calling import fund, price
from tests.people import People
from tokenboard.core.db import db
from tokenboard.core.jobs import job_queue

__all__ = ["count_queries"]


@pytest.fixture
def shop(people: People) -> Iterator[People]:
    with people.app.app_context():
        price()
        fund(people.team_id, 100)
        yield people
        db.session.rollback()


@pytest.fixture
def proxy() -> Proxy:
    return Proxy()


@pytest.fixture
def bells(shop: People) -> Queue:
    """What has been rung and not been heard yet."""
    return job_queue().queue()
