"""Where one is led after something that is no page of its own: back to a page, never to an address that has none."""

from __future__ import annotations

import pytest

from tests.people import People

HERE = "http://localhost"


@pytest.mark.parametrize(
    ("before", "led_to"),
    [
        (f"{HERE}/settings/workspace", "/settings/workspace"),
        (f"{HERE}/settings/workspace/invitations", "/"),  # where a refused form was drawn: nothing to GET there
        (f"{HERE}/workspaces", "/"),
        (f"{HERE}/nowhere", "/"),
        (f"{HERE}/api/me", "/"),
        (f"{HERE}//evil.example/", "/"),
        ("https://evil.example/settings/workspace", "/"),
        ("", "/"),
    ],
)
def test_a_choice_of_colours_leads_back_to_the_page_it_stood_on(sqlite_people: People, before: str, led_to: str):
    browser = sqlite_people.browser(sqlite_people.alice)

    assert browser.post("/theme", {"theme": "dark"}, headers={"Referer": before}).location == led_to


@pytest.mark.parametrize(
    ("before", "led_to"),
    [
        (f"{HERE}/settings/workspace", "/settings/workspace"),
        (f"{HERE}/settings/workspace/invitations", "/dashboard"),
        (f"{HERE}/credits", "/dashboard"),
    ],
)
def test_choosing_a_workspace_stays_on_a_settings_page(sqlite_people: People, before: str, led_to: str):
    browser = sqlite_people.browser(sqlite_people.alice)

    answer = browser.post("/workspaces/switch", {"workspace_id": sqlite_people.team_id}, headers={"Referer": before})

    assert answer.location == led_to


@pytest.mark.parametrize(
    ("shown", "onward"),
    [
        (f"{HERE}/dashboard?month=2026-11", "/dashboard%3Fmonth%3D2026-11"),
        ("https://evil.example/dashboard", "/"),
        ("", "/"),
    ],
)
def test_who_signs_in_again_comes_back_to_the_page_and_not_to_its_fragment(
    sqlite_people: People, shown: str, onward: str
):
    headers = {"HX-Request": "true", "HX-Target": "balance_pill", "HX-Current-URL": shown}

    answer = sqlite_people.browser().get("/credits/pill?seen=5", headers=headers)

    assert answer.headers["HX-Redirect"] == f"/login?next={onward}"
