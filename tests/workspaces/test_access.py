"""Which workspace a request is about, and who may what there."""

from __future__ import annotations

import pytest

from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.errors import Forbidden, NotFound
from tokenboard.workspaces import access, rules, service
from tokenboard.workspaces.models import Role, Workspace

UNKNOWN = "0e9a1ab1-8f6f-4e2e-874f-43dd0680a710"


def person(someone) -> Person:
    return db.session.get_one(Person, someone.id)


@pytest.mark.parametrize(
    ("name", "role"), [("alice", Role.OWNER), ("dave", Role.ADMIN), ("bob", Role.MEMBER), ("vera", Role.VIEWER)]
)
def test_each_member_has_the_rights_of_their_role_and_no_larger_one(people, name, role):
    with people.app.app_context():
        who = person(getattr(people, name))
        for wanted in Role:
            if rules.allows(role, wanted):
                assert access.load(people.team_id, who, at_least=wanted).role is role
            else:
                with pytest.raises(Forbidden):
                    access.load(people.team_id, who, at_least=wanted)


@pytest.mark.parametrize("name", ["charlie", "ada"])
def test_to_a_stranger_the_workspace_does_not_exist_also_when_they_run_the_site(people, name):
    with people.app.app_context(), pytest.raises(NotFound):
        access.load(people.team_id, person(getattr(people, name)))


@pytest.mark.parametrize("given", ["", "x", "0", "' OR 1=1 --", UNKNOWN, UNKNOWN + "x", "\0" * 36, "é" * 36])
def test_an_unknown_or_malformed_id_is_not_found(sqlite_people, given):
    with sqlite_people.app.app_context(), pytest.raises(NotFound):
        access.load(given, person(sqlite_people.alice))


def test_without_an_id_it_is_the_persons_own(people):
    with people.app.app_context():
        found = access.load(None, person(people.bob))

        assert (found.workspace.id, found.workspace.is_personal) == (people.bob.workspace_id, True)


def test_ones_own_workspace_is_read_however_many_others_there_are(people, monkeypatch):
    with people.app.app_context():
        alice = person(people.alice)
        service.join(workspace=service.create(owner=person(people.charlie), name="AAA"), person=alice, role=Role.MEMBER)
        # Two requests at once may go past the limit by one.
        monkeypatch.setattr(rules, "MOST_WORKSPACES", 2)

        assert [one.workspace.name for one in access.all_of(alice)] == ["Alice’s workspace", "AAA"]


def test_somebody_elses_personal_workspace_is_not_mine_by_default(people):
    with people.app.app_context():
        shared = db.session.get_one(Workspace, people.alice.workspace_id)
        service.join(workspace=shared, person=person(people.bob), role=Role.ADMIN)
        db.session.commit()

        assert access.load(None, person(people.bob)).workspace.id == people.bob.workspace_id


def test_the_browser_remembers_the_chosen_workspace_and_a_program_does_not(people):
    browser, bearer = people.browser(people.bob), people.bearer(people.bob)

    assert browser.post("/workspaces/switch", {"workspace_id": people.team_id}).status_code == 303

    assert "Acme" in browser.get("/settings/workspace").text
    assert bearer.get("/api/workspaces").json["workspaces"][0]["id"] == people.bob.workspace_id


def test_switching_stays_on_the_settings_page_it_was_done_on(people):
    browser = people.browser(people.bob)
    form = {"workspace_id": people.team_id}

    there = browser.post("/workspaces/switch", form, headers={"Referer": "http://localhost/settings/workspace"})
    away = browser.post("/workspaces/switch", form, headers={"Referer": "https://evil.example/settings/workspace"})

    assert there.location == "/settings/workspace"
    assert away.location == "/dashboard"


@pytest.mark.parametrize("given", ["", "nonsense", UNKNOWN])
def test_a_workspace_of_others_cannot_be_chosen(people, given):
    charlie = people.browser(people.charlie)

    assert charlie.post("/workspaces/switch", {"workspace_id": given or people.team_id}).status_code == 404


def test_who_is_removed_falls_back_to_their_own_workspace_at_once(people):
    bob, alice = people.browser(people.bob), people.browser(people.alice)
    bob.post("/workspaces/switch", {"workspace_id": people.team_id})

    form = {"workspace_id": people.team_id}
    alice.post(f"/settings/workspace/members/{people.bob.id}/remove", form)

    page = bob.get("/settings/workspace")
    assert page.status_code == 200
    assert "Acme" not in page.text


def test_a_smaller_role_counts_from_the_next_request(people):
    dave, alice = people.bearer(people.dave), people.bearer(people.alice)
    path = f"/api/workspaces/{people.team_id}"
    assert dave.patch(path, {"name": "Acme 2"}).status_code == 200

    alice.patch(f"{path}/members/{people.dave.id}", {"role": "viewer"})

    assert dave.patch(path, {"name": "Acme 3"}).status_code == 403


def test_an_archived_workspace_is_gone_for_everybody(people):
    with people.app.app_context():
        service.archive(workspace=db.session.get_one(Workspace, people.team_id), actor=person(people.alice))
        service.archive(workspace=db.session.get_one(Workspace, people.team_id), actor=person(people.alice))
        db.session.commit()

    assert people.bearer(people.alice).get(f"/api/workspaces/{people.team_id}/members").status_code == 404
    assert len(people.bearer(people.alice).get("/api/workspaces").json["workspaces"]) == 1
