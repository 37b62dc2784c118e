"""Invitations, from the offer to the membership."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.notices.models import Notice
from tokenboard.notices.service import filled
from tokenboard.workspaces.models import Invitation


@pytest.fixture
def path(people) -> str:
    return f"/api/workspaces/{people.team_id}/members"


def invite(people, email: str, role: str = "member", **more) -> dict:
    answer = people.bearer(people.alice).post(
        f"/api/workspaces/{people.team_id}/members", {"email": email, "role": role} | more
    )
    assert answer.status_code == 201, answer.json
    return answer.json["invitation"]


def mails(people) -> list[Notice]:
    with people.app.app_context():
        return list(db.session.scalars(select(Notice).where(Notice.kind == "workspaces.invitation")))


def link(people) -> str:
    """The path of the last invitation's link, as it went out."""
    with people.app.app_context():
        mail = mails(people)[-1]
        found = re.findall(r"http://localhost:8000(/invitations/\S+)", filled(mail, mail.body))
    return found[0]


def test_the_invited_address_gets_a_link_and_nobody_else_sees_it(people):
    invitation = invite(people, "Charlie@example.com", "viewer")

    [mail] = mails(people)
    assert mail.address == "charlie@example.com"
    assert "Alice invites you" in mail.body
    assert "token" not in invitation
    assert link(people).rpartition("/")[2] not in mail.body  # kept sealed
    token = link(people).rpartition("/")[2]
    with people.app.app_context():
        kept = db.session.scalars(select(Invitation)).one()
        assert token not in (kept.token_hash, kept.id)


def test_accepting_makes_a_member_with_the_offered_role_and_cap(people):
    invite(people, "charlie@example.com", "viewer", monthlyCapCents=500)
    charlie = people.browser(people.charlie)
    assert "Accept and join" in charlie.get(link(people)).text

    answer = charlie.post(link(people))

    assert (answer.status_code, answer.location) == (303, "/dashboard")
    joined = charlie.get(f"/api/workspaces/{people.team_id}/members").json["members"]
    assert [(one["role"], one["monthlyCapCents"]) for one in joined if one["id"] == people.charlie.id] == [
        ("viewer", 500)
    ]
    assert "Acme" in charlie.get("/settings/workspace").text  # it is the chosen one now


def test_accepting_twice_is_accepting_once(people):
    invite(people, "charlie@example.com")
    charlie = people.browser(people.charlie)

    assert [charlie.post(link(people)).status_code for _ in range(2)] == [303, 303]
    assert people.browser().get(link(people)).status_code == 404


def test_accepting_in_two_tabs_at_once_makes_one_membership(people):
    invite(people, "charlie@example.com")
    bearers = [people.bearer(people.charlie) for _ in range(4)]
    token = link(people).rpartition("/")[2]

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda one: one.post("/api/invitations/accept", {"token": token}).status_code, bearers))

    assert set(codes) == {200}
    members = people.bearer(people.alice).get(f"/api/workspaces/{people.team_id}/members").json["members"]
    assert len([one for one in members if one["id"] == people.charlie.id]) == 1


def test_somebody_else_with_the_link_cannot_use_it(people):
    invite(people, "new@example.com")
    charlie = people.browser(people.charlie)

    assert "Another address was invited" in charlie.get(link(people)).text
    assert charlie.post(link(people)).status_code == 403
    assert charlie.get(f"/api/workspaces/{people.team_id}/members").status_code == 404


def test_a_visitor_is_led_to_sign_in_or_register_and_back(people):
    invite(people, "new@example.com")
    visitor = people.browser()

    page = visitor.get(link(people)).text
    assert f'href="/login?next={link(people)}"' in page
    assert f'href="/register?next={link(people)}&amp;email=new%40example.com"' in page
    assert visitor.post(link(people)).status_code == 303  # to sign in

    form = {"email": "new@example.com", "password": "correct horse battery staple", "next": link(people)}
    assert visitor.post("/register", form).location == link(people)
    assert visitor.post(link(people)).location == "/dashboard"
    assert visitor.get(f"/api/workspaces/{people.team_id}/members").status_code == 200


def test_inviting_again_sends_nothing_twice_and_takes_on_the_new_role(people):
    first = invite(people, "new@example.com", "viewer")
    again = invite(people, "NEW@example.com", "admin")

    assert again["id"] == first["id"]
    assert again["role"] == "admin"
    assert len(mails(people)) == 1


def test_inviting_one_address_many_times_at_once_makes_one_offer(people, path):
    bearers = [people.bearer(people.alice) for _ in range(4)]
    body = {"email": "new@example.com", "role": "member"}

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda one: one.post(path, body).json["invitation"]["id"], bearers))

    assert len(set(ids)) == len(mails(people)) == 1


def test_who_belongs_already_is_not_invited(people, path):
    answer = people.bearer(people.alice).post(path, {"email": "bob@example.com", "role": "admin"})

    assert (answer.status_code, answer.json["code"]) == (409, "already_a_member")
    assert mails(people) == []


def test_a_withdrawn_invitation_opens_nothing(people):
    invitation = invite(people, "charlie@example.com")
    alice = people.bearer(people.alice)
    address = f"/api/workspaces/{people.team_id}/invitations/{invitation['id']}"

    assert [alice.delete(address).status_code for _ in range(2)] == [204, 204]

    charlie = people.browser(people.charlie)
    assert charlie.get(link(people)).status_code == 404
    assert charlie.post(link(people)).status_code == 404
    assert alice.delete(f"/api/workspaces/{people.team_id}/invitations/{new_id()}").status_code == 404


def test_an_invitation_of_another_workspace_cannot_be_withdrawn_through_mine(people):
    invitation = invite(people, "new@example.com")
    charlie = people.bearer(people.charlie)

    address = f"/api/workspaces/{people.charlie.workspace_id}/invitations/{invitation['id']}"

    assert charlie.delete(address).status_code == 404
    assert (
        len(people.bearer(people.alice).get(f"/api/workspaces/{people.team_id}/invitations").json["invitations"]) == 1
    )


def test_an_invitation_lasts_seven_days(people):
    invite(people, "charlie@example.com")

    with time_machine.travel(now() + timedelta(days=7, minutes=1), tick=False):
        charlie = people.browser(people.charlie)
        assert charlie.get(link(people)).status_code == 404
        assert charlie.post(link(people)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "role": "member"}, "email"),
        ({"email": "a@example.com", "role": "owner"}, "role"),
        ({"email": "a@example.com", "monthlyCapCents": -5}, "monthlyCapCents"),
        ({"email": "a@example.com", "monthlyCapCents": "5"}, "monthlyCapCents"),
        ({"role": "member"}, "email"),
    ],
)
def test_bad_input_is_422_and_names_the_field(people, path, body, field):
    answer = people.bearer(people.alice).post(path, body)

    assert (answer.status_code, set(answer.json["fields"])) == (422, {field})


@pytest.mark.parametrize("token", ["x", "é", "%00", "x" * 2000])
def test_a_made_up_link_is_not_found(sqlite_people, token):
    assert sqlite_people.browser().get(f"/invitations/{token}").status_code == 404


def test_a_name_cannot_break_the_mail_s_head(people):
    people.bearer(people.alice).patch(f"/api/workspaces/{people.team_id}", {"name": "Acme <b>& Co"})
    invite(people, "new@example.com")

    assert "\n" not in mails(people)[0].subject
    assert "Acme &lt;b&gt;&amp; Co" in people.browser().get(link(people)).text


def test_nobody_is_mailed_full_by_inviting_and_withdrawing(sqlite_people):
    people, sent = sqlite_people, 0
    path = f"/api/workspaces/{people.team_id}/invitations"
    bearer, page = people.bearer(people.alice), people.browser(people.alice)
    for _ in range(10):
        answer = bearer.post(path, {"email": "charlie@example.com"})
        sent += answer.status_code == 201
        bearer.delete(f"{path}/{answer.json['invitation']['id']}")

    form = {"workspace_id": people.team_id, "email": " Charlie@example.com", "role": "viewer", "cap": ""}
    assert sent == len(mails(people)) == 10
    assert bearer.post(path, {"email": "charlie@example.com"}).status_code == 429
    assert page.post("/settings/workspace/invitations", form).status_code == 429
    assert bearer.post(path, {"email": "ada@example.com"}).status_code == 201


def test_one_person_sends_so_many_invitations_an_hour(sqlite_people):
    people = sqlite_people
    path = f"/api/workspaces/{people.team_id}/invitations"
    bearer = people.bearer(people.alice)

    assert [bearer.post(path, {"email": f"a{n}@example.com"}).status_code for n in range(61)][-1] == 429
    assert people.bearer(people.dave).post(path, {"email": "b@example.com"}).status_code == 201
