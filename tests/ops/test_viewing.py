"""Viewing the site as somebody else: read-only, told, over by itself, never as an administrator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import time_machine
from sqlalchemy import select

from tests.house.cells import samples
from tests.house.test_matrix import _ask, _rows
from tests.people import Browser, People, Someone
from tokenboard.accounts import tasks as accounts_tasks
from tokenboard.accounts.models import Person, SignIn
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import now
from tokenboard.core.db import db

Open = Callable[[Someone | None], Browser]
WHY = {"reason": "ticket 7"}


def begin(people: People, ada: Browser, someone: Someone, **more: str) -> int:
    return ada.post(f"/admin/users/{someone.id}/view", WHY | more).status_code


def told(people: People) -> list[tuple[str, str, str]]:
    with people.app.app_context():
        found = select(AuditEntry).where(AuditEntry.act.like("accounts.view%")).order_by(AuditEntry.created_at)
        rows = db.session.scalars(found).all()
        return [(row.act, row.actor, row.subject) for row in rows]


def test_an_administrator_sees_what_the_person_sees_and_is_told_so(people: People, browser: Open):
    ada = browser(people.ada)

    assert begin(people, ada, people.bob, workspace_id=people.team_id) == 303
    shown = ada.get("/dashboard").text

    assert "You view this site as Bob" in shown
    assert "Acme" in shown
    assert ada.get("/api/me").json["user"]["email"] == "bob@example.com"
    assert ada.get("/admin").status_code == 404
    assert ada.post("/view/end").headers["Location"] == f"/admin/users/{people.bob.id}"
    assert ada.get("/api/me").json["user"]["email"] == "ada@example.com"
    began, ended = told(people)
    assert began == ("accounts.view_began", people.ada.id, people.bob.id)
    assert ended == ("accounts.view_ended", people.ada.id, people.bob.id)


def test_while_viewing_nothing_is_written_by_any_door(sqlite_people: People):
    people = sqlite_people
    ada = people.browser(people.ada)
    begin(people, ada, people.alice)
    given, doors = samples(people), 0
    with people.app.app_context():
        before = len(db.session.scalars(select(AuditEntry.id)).all())

    for row in _rows():
        is_own = row.who_may not in {"anyone", "who has the link", "the invited address"}
        is_secret = row.who_may.startswith(("bearer", "key", "virtual key")) or row.who_may.endswith("signature")
        if row.method == "GET" or not is_own or is_secret or row.path == "/view/end":
            continue
        status = _ask(ada, row, given[row.call]).status_code
        assert status in {403, 404, 405, 422, 429}, f"{row.call} answered {status}"
        doors += status == 403

    with people.app.app_context():
        assert len(db.session.scalars(select(AuditEntry.id)).all()) == before
    assert doors > 70


def test_what_is_a_persons_own_affair_stays_closed(sqlite_people: People):
    people = sqlite_people
    ada = people.browser(people.ada)
    begin(people, ada, people.alice)

    closed = ("/chat", "/api/conversations", "/settings/security", "/api/billing/portal-link", "/api/account/tokens")
    for path in closed:
        assert ada.get(path).status_code == 403, path
    assert ada.post("/api/auth/token").status_code == 403


def test_administrators_are_never_looked_as(people: People, browser: Open):
    with people.app.app_context():
        db.session.get_one(Person, people.dave.id).is_admin = True
        db.session.commit()
    ada = browser(people.ada)

    assert begin(people, ada, people.dave) == 403
    assert begin(people, ada, people.ada) == 403
    begin(people, ada, people.bob)
    with people.app.app_context():
        db.session.get_one(Person, people.bob.id).is_admin = True
        db.session.commit()
    assert ada.get("/api/me").json["user"]["email"] == "ada@example.com"


def test_a_reason_is_asked_for_and_members_look_as_nobody(sqlite_people: People):
    people = sqlite_people
    ada = people.browser(people.ada)

    assert ada.post(f"/admin/users/{people.bob.id}/view", {"reason": " "}).status_code == 422
    assert people.browser(people.alice).post(f"/admin/users/{people.bob.id}/view", WHY).status_code == 404
    assert told(people) == []


def test_it_ends_by_itself_after_half_an_hour_and_that_is_audited(people: People, browser: Open):
    ada = browser(people.ada)
    with time_machine.travel(now(), tick=False) as clock:
        begin(people, ada, people.bob)
        clock.shift(timedelta(minutes=29))
        assert ada.get("/api/me").json["user"]["email"] == "bob@example.com"
        clock.shift(timedelta(minutes=1))
        assert ada.get("/api/me").json["user"]["email"] == "ada@example.com"
        assert ada.post("/theme", {"theme": "dark"}).status_code == 303
        with people.app.app_context():
            accounts_tasks.sweep()
            accounts_tasks.sweep()

    assert [act for act, *_ in told(people)] == ["accounts.view_began", "accounts.view_ended"]


def test_signing_out_ends_it_and_so_does_losing_the_office(people: People, browser: Open):
    ada, dave = browser(people.ada), browser(people.dave)
    begin(people, ada, people.bob)
    assert ada.post("/logout").status_code == 303
    assert ada.get("/api/me").status_code == 401
    with people.app.app_context():
        accounts_tasks.sweep()
        db.session.get_one(Person, people.dave.id).is_admin = True
        db.session.commit()
    begin(people, dave, people.bob)
    with people.app.app_context():
        db.session.get_one(Person, people.dave.id).is_admin = False
        db.session.commit()

    assert dave.get("/api/me").json["user"]["email"] == "dave@example.com"
    assert [act for act, *_ in told(people)].count("accounts.view_ended") == 1
    with people.app.app_context():
        assert db.session.scalars(select(SignIn.id).where(SignIn.ended_at.is_not(None))).all() != []


def test_a_program_of_the_same_session_stays_who_it_is(sqlite_people: People):
    people = sqlite_people
    ada = people.browser(people.ada)
    token = ada.post("/api/auth/token").json["token"]
    begin(people, ada, people.bob)

    answer = people.app.test_client(use_cookies=False).get("/api/me", headers={"Authorization": f"Bearer {token}"})

    assert answer.json["user"]["email"] == "ada@example.com"
