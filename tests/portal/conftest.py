"""For the tests of the portal: an application that people enter through a sign-in provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from flask import Flask

from tests.mailbox import settings
from tests.portal.issuers import CLIENT_ID, CLIENT_SECRET, Issuer, Mock, Node, running_mock, running_node, why_no_node
from tokenboard.wiring import WiredClients


@pytest.fixture(scope="session")
def mock() -> Iterator[Mock]:
    with running_mock() as issuer:
        yield issuer


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    why = why_no_node()
    if why:
        pytest.skip(why)
    with running_node() as issuer:
        yield issuer


@pytest.fixture
def entered_through() -> Callable[[Flask, Issuer], AbstractContextManager[None]]:
    """`with entered_through(app, issuer, oidc_only=True):`"""

    @contextmanager
    def through(app: Flask, issuer: Issuer, **more: Any) -> Iterator[None]:
        given = {"oidc_discovery_url": issuer.discovery_url, "oidc_client_id": CLIENT_ID}
        before = app.extensions["clients"]
        with settings(app, **given, oidc_client_secret=CLIENT_SECRET, oidc_name="Acme", **more):
            app.extensions["clients"] = WiredClients(app.extensions["settings"])
            try:
                yield
            finally:
                app.extensions["clients"] = before

    return through
