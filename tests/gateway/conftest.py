"""The gateway's tests: the cast, models with prices as the sandbox has them, 100 credits, and a key of Alice's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.chat.conftest import wait_until_quiet
from tests.keys.making import make
from tests.metering.calling import fund
from tests.people import People
from tokenboard.core.db import db, set_read_only
from tokenboard.keys.key_service import MadeKey
from tokenboard.metering import tasks as metering_tasks


@pytest.fixture
def shop(people: People) -> Iterator[People]:
    """A house that sells, its answers ended before the next test begins."""
    set_read_only(False)
    with people.app.app_context():
        metering_tasks.sync_prices()
        fund(people.team_id, 100)
    yield people
    wait_until_quiet(people)


@pytest.fixture
def key_of(shop: People) -> Callable[..., MadeKey]:
    def made(**limits: Any) -> MadeKey:
        with shop.app.app_context():
            found = make(shop, **limits)
            db.session.expunge_all()
            return found

    return made


@pytest.fixture
def ask(shop: People) -> Callable[..., TestResponse]:
    """`ask(secret, {...})`: a program's request at `/v1`."""
    client = shop.app.test_client(use_cookies=False)

    def send(
        secret: str, body: dict[str, Any] | None = None, path: str = "/v1/chat/completions", **headers: str
    ) -> TestResponse:
        sent = {"Authorization": f"Bearer {secret}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return client.open(path, method="GET" if body is None else "POST", json=body, headers=sent)

    return send
