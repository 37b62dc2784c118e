"""Words for the stories of the keys pages: a shop whose requests each have a context of their own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Executable, select

from tests.keys.making import make
from tests.metering.calling import fund, price
from tests.people import People, Someone
from tokenboard.core.db import db, new_id
from tokenboard.keys import using
from tokenboard.keys.key_service import MadeKey
from tokenboard.keys.models import VirtualKey


@pytest.fixture
def shop(people: People) -> People:
    """As the rooms' own, but no context is left open: each request has its own."""
    with people.app.app_context():
        price()
        fund(people.team_id, 100)
    return people


def key_of(shop: People, someone: Someone | None = None, **limits: Any) -> MadeKey:
    with shop.app.app_context():
        return make(shop, someone, **limits)


def form(people: People, **more: object) -> dict[str, object]:
    usual = {"workspace_id": people.team_id, "form_key": new_id(), "name": "build bot", "lifetime": "90"}
    return usual | {"budget": "limited", "amount": "10.00", "window": "month", "which": "all"} | more


def only_key(shop: People) -> VirtualKey:
    with shop.app.app_context():
        return db.session.scalars(select(VirtualKey)).one()


def opens(shop: People, secret: str) -> str:
    with shop.app.app_context():
        return using.open_key(secret).key.id


def write(shop: People, *statements: Executable) -> None:
    with shop.app.app_context():
        for statement in statements:
            db.session.execute(statement)
        db.session.commit()
