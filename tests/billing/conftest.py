"""The shop, on both databases."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.billing.shop import Shop
from tests.billing.stripe_stand_in import StandIns
from tests.people import People


@pytest.fixture
def providers(app: Flask, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    """Both providers stood in for, in this application, for this test."""
    made = StandIns()
    monkeypatch.setitem(app.extensions, "clients", made)
    return made


@pytest.fixture
def shop(app: Flask, people: People, providers: StandIns) -> Shop:
    return Shop(app, people, providers)
