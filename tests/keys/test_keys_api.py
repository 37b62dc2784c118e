"""Keys over JSON: made once and shown once, changed, paused, replaced, revoked; by whom."""

from __future__ import annotations

import pytest

from tests.people import People


def make(people: People, someone, **body) -> dict:
    answer = people.bearer(someone).post("/api/keys", {"workspaceId": people.team_id, "name": "build bot"} | body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.get_json()


def test_a_key_is_made_and_its_secret_is_shown_once(people):
    made = make(people, people.alice, maxBudgetCents=1000, models=["gpt-4o"])
    key, secret = made["key"], made["secret"]

    assert secret.startswith("sk-tb-")
    assert (key["status"], key["maxBudgetCents"], key["models"], key["spendCents"]) == ("active", 1000, ["gpt-4o"], 0)
    assert secret.startswith(key["prefix"].removesuffix("…"))
    listed = people.bearer(people.alice).get(f"/api/keys?workspaceId={people.team_id}")
    assert [one["id"] for one in listed.get_json()["keys"]] == [key["id"]]
    assert secret not in listed.get_data(as_text=True)


def test_the_same_request_again_makes_no_second_key(people):
    first = make(people, people.alice, idempotencyKey="bot-1")
    second = make(people, people.alice, idempotencyKey="bot-1")

    assert (second["key"]["id"], second["secret"]) == (first["key"]["id"], None)


def test_a_member_has_keys_and_sees_only_their_own_while_an_admin_sees_all(people):
    mine, hers = make(people, people.bob), make(people, people.alice)
    path = f"/api/keys?workspaceId={people.team_id}"

    assert [one["id"] for one in people.bearer(people.bob).get(path).get_json()["keys"]] == [mine["key"]["id"]]
    seen = {one["id"] for one in people.bearer(people.dave).get(path).get_json()["keys"]}
    assert seen == {mine["key"]["id"], hers["key"]["id"]}


def test_another_members_key_does_not_exist_for_a_member(people):
    hers = make(people, people.alice)["key"]["id"]
    bob, charlie = people.bearer(people.bob), people.bearer(people.charlie)

    for program in (bob, charlie):
        assert program.patch(f"/api/keys/{hers}", {"name": "mine now"}).status_code == 404
        assert program.post(f"/api/keys/{hers}/rotate", {}).status_code == 404
        assert program.delete(f"/api/keys/{hers}").status_code == 404


def test_a_viewer_makes_no_keys_and_nobody_without_signing_in(people):
    body = {"workspaceId": people.team_id, "name": "x"}

    assert people.bearer(people.vera).post("/api/keys", body).status_code == 403
    assert people.app.test_client().post("/api/keys", json=body).status_code in (401, 403)


def test_only_what_is_named_changes_and_null_takes_a_limit_away(people):
    key = make(people, people.alice, maxBudgetCents=500, rpmLimit=60)["key"]
    changed = people.bearer(people.alice).patch(f"/api/keys/{key['id']}", {"maxBudgetCents": None}).get_json()["key"]

    assert (changed["maxBudgetCents"], changed["rpmLimit"], changed["name"]) == (None, 60, "build bot")


def test_a_key_is_paused_resumed_replaced_and_revoked(people):
    alice, made = people.bearer(people.alice), make(people, people.alice)
    path = f"/api/keys/{made['key']['id']}"

    assert alice.post(f"{path}/block", {}).get_json()["key"]["status"] == "paused"
    assert alice.post(f"{path}/unblock", {}).get_json()["key"]["status"] == "active"
    fresh = alice.post(f"{path}/rotate", {"overlapMinutes": 5}).get_json()
    assert fresh["secret"] != made["secret"]
    assert alice.delete(path).status_code == 204
    assert alice.delete(path).status_code == 204
    assert alice.post(f"{path}/unblock", {}).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x", "maxBudgetCents": -1},
        {"name": "x", "budgetDuration": "weekly"},
        {"name": "x", "rpmLimit": 0},
    ],
)
def test_what_cannot_be_read_is_named(people, body):
    answer = people.bearer(people.alice).post("/api/keys", {"workspaceId": people.team_id} | body)

    assert answer.status_code == 422
    assert answer.get_json()["fields"]
