"""Making an account, by page and by JSON; the first administrator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from tests.people import PASSWORD, Browser
from tokenboard.accounts.models import OneTimeToken, Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.workspaces.models import Membership, Workspace

NEW = {"email": "new@example.com", "password": PASSWORD}


def visitor(app) -> Browser:
    return Browser(app, None)


def how_many(app, row) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(row)) or 0


def register(app, **body):
    return app.test_client().post("/api/auth/register", json=body)


def setup_path(app) -> str:
    line = app.test_cli_runner().invoke(args=["accounts", "setup-link"]).output.strip().splitlines()[-1]
    return "/setup/" + line.rpartition("/setup/")[2]


def test_the_page_makes_a_person_with_a_workspace_of_their_own_and_signs_them_in(app):
    browser = visitor(app)

    answer = browser.post("/register", NEW | {"display_name": "Newton"})

    assert (answer.status_code, answer.location) == (303, "/dashboard")
    me = browser.get("/api/me").json
    assert (me["user"]["email"], me["user"]["displayName"], me["user"]["isAdmin"]) == (
        "new@example.com",
        "Newton",
        False,
    )
    assert [(one["name"], one["role"], one["isPersonal"]) for one in me["workspaces"]] == [
        ("Newton’s workspace", "owner", True)
    ]


def test_json_makes_an_account_and_answers_201_with_cookie_and_token(app):
    client = app.test_client()

    answer = client.post("/api/auth/register", json=NEW | {"email": " NEW@Example.COM ", "extra": "ignored"})

    assert answer.status_code == 201
    assert answer.json["user"]["email"] == "new@example.com"
    assert client.get("/api/me").status_code == 200
    bearer = {"Authorization": f"Bearer {answer.json['token']}"}
    assert app.test_client().get("/api/me", headers=bearer).status_code == 200


def test_a_second_account_with_the_same_e_mail_is_refused(app):
    assert register(app, **NEW).status_code == 201

    again = register(app, **NEW | {"email": "New@example.com"})

    assert (again.status_code, again.json["code"]) == (409, "email_taken")
    page = visitor(app).post("/register", NEW | {"display_name": "Kept"})
    assert page.status_code == 409
    assert "already an account" in page.text
    assert 'value="Kept"' in page.text
    assert PASSWORD not in page.text
    assert how_many(app, Person) == how_many(app, Workspace) == 1


def test_of_many_registrations_of_one_e_mail_at_once_one_succeeds(app):
    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(lambda _: register(app, **NEW).status_code, range(6)))

    assert sorted(codes) == [201] + [409] * 5
    assert how_many(app, Person) == how_many(app, Workspace) == how_many(app, Membership) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "password": PASSWORD}, "email"),
        ({"email": "a b@example.com", "password": PASSWORD}, "email"),
        ({"email": "x" * 300 + "@example.com", "password": PASSWORD}, "email"),
        ({"email": "new@example.com", "password": "short"}, "password"),
        ({"email": "new@example.com", "password": "password123"}, "password"),
        ({"email": "new@example.com", "password": "new@example.com"}, "password"),
        ({"email": "new@example.com", "password": "x" * 129}, "password"),
        ({"email": "new@example.com", "password": PASSWORD, "displayName": "x" * 81}, "displayName"),
        ({"email": "new@example.com", "password": PASSWORD, "displayName": "nul\0"}, "displayName"),
        ({"email": "new@example.com", "password": 12345678}, "password"),
        ({"password": PASSWORD}, "email"),
        ({"email": "new@example.com"}, "password"),
    ],
)
def test_bad_input_is_422_and_names_the_field(sqlite_app, body, field):
    answer = register(sqlite_app, **body)

    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert set(answer.json["fields"]) == {field}
    assert how_many(sqlite_app, Person) == 0


@pytest.mark.parametrize("password", ["é" * 73, "x" * 128, "nul\0 in the middle", "密码" * 30])
def test_long_and_odd_passwords_work_at_both_doors(app, password):
    assert register(app, email="new@example.com", password=password).status_code == 201

    browser = visitor(app)
    assert browser.post("/login", {"email": "new@example.com", "password": password}).status_code == 303


def test_a_refused_page_keeps_what_was_typed_but_no_password(sqlite_app):
    answer = visitor(sqlite_app).post("/register", {"email": "new@", "display_name": "Newton", "password": "password1"})

    assert answer.status_code == 422
    assert 'value="new@"' in answer.text
    assert 'value="Newton"' in answer.text
    assert "password1" not in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_registering_leads_on_within_the_site_only(sqlite_app):
    there = visitor(sqlite_app).post("/register", NEW | {"next": "/settings/workspace"})
    away = visitor(sqlite_app).post("/register", NEW | {"email": "b@example.com", "next": "https://evil.example"})

    assert there.location == "/settings/workspace"
    assert away.location == "/dashboard"
    assert visitor(sqlite_app).get("/auth/signup?next=/x").location == "/register?next=/x"


def test_a_form_without_its_token_makes_nobody(sqlite_app):
    assert sqlite_app.test_client().post("/register", data=NEW).status_code == 403
    assert how_many(sqlite_app, Person) == 0


def test_registrations_from_one_address_are_limited_over_both_doors(sqlite_app):
    for number in range(10):
        register(sqlite_app, email=f"{number}@", password=PASSWORD)
        visitor(sqlite_app).post("/register", {"email": f"{number}@"})

    assert register(sqlite_app, **NEW).status_code == 429


def test_a_body_too_large_or_with_too_many_fields_is_refused(sqlite_app):
    client = sqlite_app.test_client()

    large = client.post("/api/auth/register", json=NEW | {"displayName": "x" * 300_000})
    many = client.post("/register", data={f"field{number}": "x" for number in range(300)})

    assert (large.status_code, large.json["code"]) == (413, "too_large")
    assert many.status_code == 413


def test_the_landing_page_leads_visitors_in_and_the_signed_in_on(people):
    assert "Create account" in people.browser().get("/").text
    assert people.browser(people.alice).get("/").location == "/dashboard"


# The first administrator


def test_the_set_up_link_makes_the_administrator_once(app):
    path = setup_path(app)
    browser = visitor(app)
    assert browser.get(path).status_code == 200

    answer = browser.post(path, {"email": "ada@example.com", "display_name": "Ada", "password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/dashboard")
    assert browser.get("/api/me").json["user"]["isAdmin"] is True
    assert visitor(app).get(path).status_code == 404
    assert visitor(app).post(path, {"email": "eve@example.com", "password": PASSWORD}).status_code == 404
    assert how_many(app, Person) == 1


def test_the_command_prints_one_absolute_link_and_nothing_once_there_is_an_administrator(people):
    with people.app.app_context():
        db.session.get_one(Person, people.ada.id).is_admin = False
        db.session.commit()
    run = people.app.test_cli_runner()

    printed = run.invoke(args=["accounts", "setup-link"]).output

    assert len(printed.strip().splitlines()) == 1
    assert "http://localhost:8000/setup/" in printed
    assert "runs this site now" in run.invoke(args=["accounts", "make-admin", "Ada@example.com"]).output
    assert run.invoke(args=["accounts", "setup-link"]).output == ""


def test_nobody_can_be_made_administrator_who_is_not_there(sqlite_app):
    run = sqlite_app.test_cli_runner()

    assert run.invoke(args=["accounts", "make-admin", "nobody@example.com"]).exit_code == 1
    assert run.invoke(args=["accounts", "make-admin", "nobody"]).exit_code == 1


def test_only_the_newest_link_works_for_a_day_and_only_its_hash_is_kept(app):
    old, new = setup_path(app), setup_path(app)

    assert visitor(app).get(old).status_code == 404
    assert visitor(app).get(new).status_code == 200
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        assert visitor(app).get(new).status_code == 404
    with app.app_context():
        assert new.rpartition("/")[2] not in db.session.scalars(select(OneTimeToken.token_hash)).all()


def test_a_refused_set_up_leaves_the_link_alive(app):
    path = setup_path(app)

    refused = visitor(app).post(path, {"email": "ada@example.com", "password": "password123"})

    assert refused.status_code == 422
    assert visitor(app).post(path, {"email": "ada@example.com", "password": PASSWORD}).status_code == 303


def test_of_two_who_use_the_link_at_once_one_becomes_administrator(app):
    path = setup_path(app)

    def use(number: int) -> int:
        return visitor(app).post(path, {"email": f"ada{number}@example.com", "password": PASSWORD}).status_code

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(use, range(4)))

    assert sorted(codes) == [303, 404, 404, 404]
    assert how_many(app, Person) == 1
