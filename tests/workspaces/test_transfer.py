"""Handing a workspace over: one owner before, one owner after, and the new one is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from tests.mailbox import mails
from tokenboard.core.clock import now
from tokenboard.core.db import new_id


@pytest.fixture
def path(people) -> str:
    return f"/api/workspaces/{people.team_id}/transfer"


def roles(people) -> dict[str, str]:
    members = people.bearer(people.dave).get(f"/api/workspaces/{people.team_id}/members").json["members"]
    return {one["displayName"]: one["role"] for one in members}


def test_a_member_becomes_the_owner_and_the_owner_an_admin(people, path):
    answer = people.bearer(people.alice).post(path, {"personId": people.bob.id})

    assert answer.status_code == 200
    assert answer.json["workspace"]["role"] == "admin"
    assert roles(people) == {"Bob": "owner", "Alice": "admin", "Dave": "admin", "Vera": "viewer"}
    [mail] = mails(people.app, "workspaces.ownership")
    assert (mail.address, "Acme" in mail.body) == (people.bob.email, True)


def test_the_page_does_the_same_and_says_so_in_the_button(people):
    alice = people.browser(people.alice)
    alice.post("/workspaces/switch", {"workspace_id": people.team_id})
    assert "Hand it over to Bob" in alice.get("/settings/workspace").text
    assert "Hand it over" not in people.browser(people.dave).get("/settings/workspace").text

    form = {"workspace_id": people.team_id}
    answer = alice.post(f"/settings/workspace/members/{people.bob.id}/make-owner", form)

    assert (answer.status_code, answer.location) == (303, "/settings/workspace")
    assert roles(people)["Bob"] == "owner"


def test_only_the_owner_hands_over(people, path):
    for someone, status in ((people.dave, 403), (people.bob, 403), (people.charlie, 404)):
        assert people.bearer(someone).post(path, {"personId": someone.id}).status_code == status
    assert people.app.test_client().post(path, json={}, headers={"Authorization": "Bearer x"}).status_code == 401
    assert roles(people)["Alice"] == "owner"


def test_to_a_stranger_to_oneself_or_of_ones_own_workspace_it_does_not_go(people, path):
    alice = people.bearer(people.alice)

    assert alice.post(path, {"personId": people.charlie.id}).status_code == 404
    assert alice.post(path, {"personId": new_id()}).status_code == 404
    assert alice.post(path, {"personId": people.alice.id}).status_code == 403
    assert alice.post(path, {"personId": "bob"}).status_code == 422
    own = f"/api/workspaces/{people.alice.workspace_id}/transfer"
    assert alice.post(own, {"personId": people.alice.id}).status_code == 403
    assert roles(people)["Alice"] == "owner"


def test_the_second_click_finds_it_done(people, path):
    alice = people.bearer(people.alice)

    assert [alice.post(path, {"personId": people.bob.id}).status_code for _ in range(2)] == [200, 403]


def test_of_two_at_once_one_wins_and_there_is_one_owner(people, path):
    bearers = [people.bearer(people.alice) for _ in range(2)]
    wanted = [people.bob.id, people.dave.id]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda bearer, who: bearer.post(path, {"personId": who}).status_code, bearers, wanted))

    assert list(roles(people).values()).count("owner") == 1


def test_a_session_left_open_gives_nothing_away(people, path):
    alice = people.bearer(people.alice)
    with time_machine.travel(now() + timedelta(minutes=14), tick=False):
        assert alice.post(path, {"personId": people.charlie.id}).status_code == 404
    browser = people.browser(people.alice)
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        form = {"workspace_id": people.team_id}
        answer = browser.post(f"/settings/workspace/members/{people.bob.id}/make-owner", form)
        assert answer.location.startswith("/confirm")
