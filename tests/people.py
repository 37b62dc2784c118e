"""Everyone in the tests: Alice (owner), Dave (admin), Bob (member), Vera (viewer) of one team; Charlie, a stranger;
Ada, the site's administrator. Made through the services, so they are what sign-up makes.

    def test_a_stranger_sees_nothing(people, browser):
        assert browser(people.charlie).get(f"/…/{people.team_id}").status_code == 404
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from tests.pictures import wait_for_answers
from tokenboard.accounts import service as accounts, tokens
from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.portal import signup
from tokenboard.workspaces import service as workspaces
from tokenboard.workspaces.models import Role

if TYPE_CHECKING:
    from tests.conftest import House

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Someone:
    """One person of the tests."""

    id: str
    email: str
    name: str
    workspace_id: str  # their own, personal one
    password: str = PASSWORD


@dataclass(frozen=True, slots=True)
class People:
    """The cast, and the team workspace of the first four."""

    app: Flask
    team_id: str
    alice: Someone
    dave: Someone
    bob: Someone
    vera: Someone
    charlie: Someone
    ada: Someone

    def browser(self, someone: Someone | None = None) -> Browser:
        """A browser of its own, signed in; or an anonymous one."""
        return Browser(self.app, someone)

    def bearer(self, someone: Someone) -> Bearer:
        """A program with a token of this person."""
        return Bearer(self.app, someone)


class Browser:
    """A browser that sends the CSRF token along, as every form of ours does. `client` is the bare test client."""

    def __init__(self, app: Flask, someone: Someone | None) -> None:
        self.client: FlaskClient = app.test_client()
        self._app = app
        with self.client.session_transaction() as session:
            session["csrf_token"] = secrets.token_hex(20)
        if someone is not None:
            self._sign_in(someone)

    def _sign_in(self, someone: Someone) -> None:
        with self._app.app_context():
            token = accounts.open_session(db.session.get_one(Person, someone.id)).token
            db.session.commit()
        with self.client.session_transaction() as session:
            session["sign_in"] = token
            session.permanent = True

    @property
    def csrf_token(self) -> str:
        """What the next page's forms would hold."""
        with self.client.session_transaction() as session:
            raw = session.setdefault("csrf_token", secrets.token_hex(20))
        return str(URLSafeTimedSerializer(self._app.config["SECRET_KEY"], salt="wtf-csrf-token").dumps(raw))

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form (`data=`) or JSON (`json=`)."""
        return self._send("POST", path, data, **more)

    def patch(self, path: str, **more: Any) -> TestResponse:
        return self._send("PATCH", path, None, **more)

    def put(self, path: str, **more: Any) -> TestResponse:
        return self._send("PUT", path, None, **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        return self._send("DELETE", path, None, **more)

    def fragment(self, path: str, target: str, **more: Any) -> TestResponse:
        """Ask for one block, as htmx does."""
        headers = {"HX-Request": "true", "HX-Target": target} | more.pop("headers", {})
        return self.client.get(path, headers=headers, **more)

    def _send(self, method: str, path: str, data: dict[str, Any] | None, **more: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.csrf_token} | more.pop("headers", {})
        return self.client.open(path, method=method, data=data, headers=headers, **more)


class Bearer:
    """A program: JSON and a bearer token, no cookies."""

    def __init__(self, app: Flask, someone: Someone) -> None:
        self.client: FlaskClient = app.test_client(use_cookies=False)
        with app.app_context():
            opened = accounts.open_session(db.session.get_one(Person, someone.id))
            db.session.commit()
            self.sign_in_id = opened.sign_in.id
            self.token, _ = tokens.issue(opened.sign_in, lifetime_seconds=tokens.SHORT_SECONDS)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self._send("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self._send("POST", path, json=json, **more)

    def patch(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self._send("PATCH", path, json=json, **more)

    def put(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self._send("PUT", path, json=json, **more)

    def delete(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self._send("DELETE", path, json=json, **more)

    def _send(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **more)


def settle(app: Flask) -> People:
    """Put the cast into an empty application."""
    with app.app_context():
        alice, dave, bob, vera, charlie, ada = (
            _sign_up(name) for name in ("Alice", "Dave", "Bob", "Vera", "Charlie", "Ada")
        )
        db.session.get_one(Person, ada.id).is_admin = True
        owner = db.session.get_one(Person, alice.id)
        team = workspaces.create(owner=owner, name="Acme")
        for someone, role in ((dave, Role.ADMIN), (bob, Role.MEMBER), (vera, Role.VIEWER)):
            workspaces.join(workspace=team, person=db.session.get_one(Person, someone.id), role=role)
        db.session.commit()
        return People(app, team.id, alice, dave, bob, vera, charlie, ada)


def _sign_up(name: str) -> Someone:
    email = f"{name.lower()}@example.com"
    made = signup.sign_up(email=email, password=PASSWORD, display_name=name)
    return Someone(made.person.id, email, name, made.workspace.id)


def cast_of(house: House) -> People:
    """Made by the services once, put back after that."""
    wait_for_answers(house.app)
    if house.cast is None:
        house.cast = (settle(house.app), house.picture())
    else:
        house.cast[1]()
    people: People = house.cast[0]
    return people


@pytest.fixture
def people(house: House) -> People:
    """The cast, on SQLite and on PostgreSQL."""
    return cast_of(house)


@pytest.fixture
def sqlite_people(sqlite_app: Flask, sqlite_house: House) -> People:
    """The cast, for tests in which the database plays no part."""
    return cast_of(sqlite_house)


@pytest.fixture
def browser(people: People) -> Callable[[Someone | None], Browser]:
    """`browser(people.alice)`: signed in; `browser(None)`: anonymous."""
    return people.browser


@pytest.fixture
def bearer(people: People) -> Callable[[Someone], Bearer]:
    """`bearer(people.alice)`: a program with her token."""
    return people.bearer
