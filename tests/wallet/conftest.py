"""What the wallet's tests share: asking the admin key's door, and reading a wallet from the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import ADMIN_API_KEY
from tests.costs.counting import count_queries
from tests.people import People
from tokenboard.core.db import db
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.invariants import check
from tokenboard.workspaces.models import Workspace

__all__ = ["count_queries"]

GRANT = "/api/credits/grant"


@pytest.fixture
def give(app: Flask) -> Callable[..., TestResponse]:
    """`give(email=…, amount=…)`: the admin key's call, as a till would make it."""

    def call(*, key: str = ADMIN_API_KEY, headers: dict[str, str] | None = None, **body: Any) -> TestResponse:
        asked = {"reason": "Top-up by transfer", "idempotencyKey": "gift-1"} | body
        return app.test_client().post(GRANT, json=asked, headers={"x-admin-key": key} | (headers or {}))

    return call


@pytest.fixture
def wallet_of(people: People) -> Callable[[str], str]:
    """The ledger account of a workspace."""

    def read(workspace_id: str) -> str:
        with people.app.app_context():
            return db.session.get_one(Workspace, workspace_id).ledger_account_id

    return read


@pytest.fixture
def posted(people: People) -> Callable[[str], int]:
    """What a workspace's wallet has, in micro-credits; the books must balance whenever it is asked."""

    def read(workspace_id: str) -> int:
        with people.app.app_context():
            assert check() == []
            return ledger.balance(db.session.get_one(Workspace, workspace_id).ledger_account_id).posted_micros

    return read
