"""Workspaces and their members, by JSON."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from tokenboard.accounts.models import Person
from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db, new_id
from tokenboard.workspaces import rules, service
from tokenboard.workspaces.models import Membership, Role


@pytest.fixture
def path(people) -> str:
    return f"/api/workspaces/{people.team_id}"


def test_a_workspace_is_made_listed_and_renamed(people):
    alice = people.bearer(people.alice)

    made = alice.post("/api/workspaces", {"name": "  Research  "})

    assert made.status_code == 201
    workspace = made.json["workspace"]
    assert (workspace["name"], workspace["role"], workspace["isPersonal"]) == ("Research", "owner", False)
    assert (workspace["balance"], workspace["balanceMicros"]) == (0, 0)
    renamed = alice.patch(f"/api/workspaces/{workspace['id']}", {"name": "Research & Co"})
    assert renamed.json["workspace"]["name"] == "Research & Co"
    listed = alice.get("/api/workspaces").json
    assert [one["name"] for one in listed["workspaces"]] == ["Alice’s workspace", "Acme", "Research & Co"]
    assert listed["nextCursor"] is None


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "  "}, {"name": "x" * 81}, {"name": 1}, {"name": "a\nb"}])
def test_a_name_is_one_line_of_up_to_80_characters(sqlite_people, body):
    answer = sqlite_people.bearer(sqlite_people.alice).post("/api/workspaces", body)

    assert (answer.status_code, set(answer.json["fields"])) == (422, {"name"})


@pytest.mark.parametrize(
    ("method", "suffix"),
    [
        ("patch", ""),
        ("get", "/members"),
        ("post", "/members"),
        ("get", "/invitations"),
        ("post", "/invitations"),
        ("patch", "/members/{bob}"),
        ("delete", "/members/{bob}"),
        ("delete", "/invitations/{bob}"),
    ],
)
def test_a_stranger_finds_nothing_and_an_anonymous_caller_is_asked_to_sign_in(people, path, method, suffix):
    address = path + suffix.format(bob=people.bob.id)
    body = {"name": "x", "email": "x@example.com", "role": "member"}

    assert getattr(people.bearer(people.charlie), method)(address, json=body).status_code == 404
    anonymous = people.browser().client.open(address, method=method.upper(), json=body, headers={"Authorization": "x"})
    assert (anonymous.status_code, anonymous.json["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "suffix"),
    [
        ("patch", ""),
        ("post", "/members"),
        ("get", "/invitations"),
        ("post", "/invitations"),
        ("patch", "/members/{vera}"),
        ("delete", "/members/{vera}"),
        ("delete", "/members/{dave}"),
        ("delete", "/invitations/{vera}"),
    ],
)
def test_a_member_may_not_manage(people, path, method, suffix):
    address = path + suffix.format(vera=people.vera.id, dave=people.dave.id)
    body = {"name": "x", "email": "x@example.com", "role": "member"}

    assert getattr(people.bearer(people.bob), method)(address, json=body).status_code == 403


def test_members_see_each_other_and_only_admins_the_invitations(people, path):
    people.bearer(people.dave).post(f"{path}/members", {"email": "new@example.com", "role": "viewer"})

    seen_by_vera = people.bearer(people.vera).get(f"{path}/members").json
    seen_by_alice = people.bearer(people.alice).get(f"{path}/members").json

    assert [(one["displayName"], one["role"]) for one in seen_by_vera["members"]] == [
        *(("Alice", "owner"), ("Dave", "admin"), ("Bob", "member"), ("Vera", "viewer"))
    ]
    assert seen_by_vera["invitations"] == []
    assert [one["email"] for one in seen_by_alice["invitations"]] == ["new@example.com"]
    assert people.bearer(people.alice).get(f"{path}/invitations").json["invitations"] == seen_by_alice["invitations"]


def test_an_admin_changes_role_and_cap_and_what_is_left_out_stays(people, path):
    dave = people.bearer(people.dave)
    address = f"{path}/members/{people.bob.id}"

    assert dave.patch(address, {"monthlyCapCents": 2_500}).json["member"]["monthlyCapCents"] == 2_500
    changed = dave.patch(address, {"role": "viewer"}).json["member"]
    assert (changed["role"], changed["monthlyCapCents"]) == ("viewer", 2_500)
    assert dave.patch(address, {"monthlyCapCents": None}).json["member"]["monthlyCapCents"] is None


@pytest.mark.parametrize(
    "body", [{"role": "owner"}, {"role": "king"}, {"role": 1}, {"monthlyCapCents": -1}, {"monthlyCapCents": 10**12}]
)
def test_a_role_that_cannot_be_given_and_a_cap_out_of_range_are_422(people, path, body):
    answer = people.bearer(people.alice).patch(f"{path}/members/{people.bob.id}", body)

    assert (answer.status_code, set(answer.json["fields"])) == (422, set(body))


def test_an_admin_cannot_touch_the_owner_and_nobody_themselves(people, path):
    dave, alice = people.bearer(people.dave), people.bearer(people.alice)

    assert dave.patch(f"{path}/members/{people.alice.id}", {"role": "viewer"}).status_code == 403
    assert dave.delete(f"{path}/members/{people.alice.id}").status_code == 403
    assert dave.patch(f"{path}/members/{people.dave.id}", {"role": "viewer"}).status_code == 403
    assert alice.patch(f"{path}/members/{people.alice.id}", {"role": "viewer"}).status_code == 403
    assert alice.delete(f"{path}/members/{people.alice.id}").status_code == 403


def test_a_member_is_removed_once(people, path):
    alice = people.bearer(people.alice)

    assert alice.delete(f"{path}/members/{people.bob.id}").status_code == 204
    assert alice.delete(f"{path}/members/{people.bob.id}").status_code == 404
    assert people.bearer(people.bob).get(f"{path}/members").status_code == 404


def test_everybody_but_the_owner_may_leave(people, path):
    assert people.bearer(people.vera).delete(f"{path}/members/{people.vera.id}").status_code == 204
    assert people.bearer(people.vera).get(f"{path}/members").status_code == 404


def test_who_never_belonged_cannot_be_changed_or_removed(people, path):
    alice = people.bearer(people.alice)

    for someone in (people.charlie.id, new_id()):
        assert alice.patch(f"{path}/members/{someone}", {"role": "viewer"}).status_code == 404
        assert alice.delete(f"{path}/members/{someone}").status_code == 404
    assert alice.delete(f"{path}/members/nonsense").status_code == 404


def test_a_workspace_has_one_owner_whatever_happens_at_once(people):
    with people.app.app_context():
        db.session.execute(delete(Membership).where(Membership.workspace_id == people.team_id))
        db.session.commit()

    def take_over(someone_id: str) -> bool:
        with people.app.app_context():
            db.session.add(Membership(workspace_id=people.team_id, person_id=someone_id, role=Role.OWNER))
            try:
                db.session.commit()
            except IntegrityError:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(take_over, [people.alice.id, people.bob.id, people.vera.id, people.charlie.id]))

    assert sorted(won) == [False, False, False, True]


def test_workspaces_made_at_once_each_have_one_owner(people):
    alice = people.bearer(people.alice)

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda n: alice.post("/api/workspaces", {"name": f"W{n}"}).status_code, range(8)))

    assert codes == [201] * 8
    with people.app.app_context():
        owners = select(func.count()).select_from(Membership).where(Membership.role == "owner")
        assert db.session.scalar(owners.group_by(Membership.workspace_id).order_by(func.count().desc()).limit(1)) == 1


def test_there_is_a_limit_on_workspaces_of_one_person(sqlite_people):
    with sqlite_people.app.app_context():
        alice = db.session.get_one(Person, sqlite_people.alice.id)
        for number in range(rules.MOST_WORKSPACES - 2):
            service.create(owner=alice, name=f"W{number}")
        db.session.commit()

    answer = sqlite_people.bearer(sqlite_people.alice).post("/api/workspaces", {"name": "One too many"})

    assert (answer.status_code, answer.json["code"]) == (409, "limit_reached")


def test_the_audit_log_has_each_change_with_before_and_after(people, path):
    alice = people.bearer(people.alice)
    alice.patch(path, {"name": "Acme Inc"})
    alice.patch(f"{path}/members/{people.bob.id}", {"role": "viewer"})
    alice.delete(f"{path}/members/{people.vera.id}")

    with people.app.app_context():
        asked = select(AuditEntry).where(AuditEntry.workspace_id == people.team_id, AuditEntry.actor == people.alice.id)
        acts = {entry.act: entry.facts for entry in db.session.scalars(asked)}
    assert acts["workspaces.renamed"] == {"before": "Acme", "after": "Acme Inc"}
    assert acts["workspaces.member_changed"]["before"]["role"] == "member"
    assert acts["workspaces.member_changed"]["after"]["role"] == "viewer"
    assert "workspaces.member_removed" in acts
