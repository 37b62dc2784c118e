"""GET /api/dashboard: everything a home screen shows, in one answer, and the same numbers as the calls behind it."""

from __future__ import annotations


def test_one_answer_holds_what_a_home_screen_shows(people):
    program = people.bearer(people.alice)
    answer = program.get(f"/api/dashboard?workspaceId={people.team_id}").get_json()

    assert set(answer) == {
        *("user", "summary", "balance", "balanceMicros", "held", "available", "subscription", "recentUsage", "alerts")
    }
    assert answer["summary"] == program.get(f"/api/summary?workspaceId={people.team_id}").get_json()
    assert (
        answer["balanceMicros"]
        == program.get(f"/api/billing/balance?workspaceId={people.team_id}").get_json()["balanceMicros"]
    )
    assert (answer["user"]["email"], answer["user"]["monthlySpentCents"]) == (people.alice.email, 0)
    assert (answer["subscription"], answer["recentUsage"], answer["alerts"]) == (None, [], [])


def test_a_home_screen_is_its_members_own(people):
    assert people.bearer(people.charlie).get(f"/api/dashboard?workspaceId={people.team_id}").status_code == 404
    assert people.browser().get("/api/dashboard").status_code == 401
