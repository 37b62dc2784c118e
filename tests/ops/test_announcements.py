"""Announcements: above every page from one instant to another, until each one puts it away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.costs.counting import Counted
from tests.people import Browser, People, Someone
from tokenboard.core.db import new_id

PAGE = "/admin/announcements"
NOON = datetime(2027, 11, 28, 12, tzinfo=UTC)
Open = Callable[[Someone | None], Browser]


def form(text: str, **more: str) -> dict[str, str]:
    return {"text": text, "kind": "info", "form_key": new_id()} | more


def test_it_is_shown_while_it_runs_to_everybody_who_is_signed_in(people: People, browser: Open):
    with time_machine.travel(NOON, tick=False) as clock:
        ada, bob = browser(people.ada), browser(people.bob)
        told = form("Maintenance at two.", starts_at="2027-11-28T13:00", ends_at="2027-11-28T14:00", link="/pricing")
        assert ada.post(PAGE, told).status_code == 303
        assert ada.post(PAGE, told).status_code == 303  # sent twice is announced once
        assert "Maintenance" not in bob.get("/dashboard").text
        clock.move_to(NOON + timedelta(hours=1))
        assert 'Maintenance at two. <a href="/pricing">More</a>' in bob.get("/dashboard").text
        assert "Maintenance" not in browser(None).get("/login").text
        assert ada.get(PAGE).text.count('<b class="anywhere">Maintenance at two.</b>') == 1
        clock.move_to(NOON + timedelta(hours=2))
        assert "Maintenance" not in bob.get("/dashboard").text


def test_one_person_puts_it_away_for_themselves(people: People, browser: Open):
    ada, bob, vera = browser(people.ada), browser(people.bob), browser(people.vera)
    told = form("New models.")
    ada.post(PAGE, told)

    for _ in range(2):
        assert bob.post(f"/announcements/{told['form_key']}/dismiss").status_code == 303

    assert "New models." not in bob.get("/dashboard").text
    assert "New models." in vera.get("/dashboard").text
    assert ada.post(f"{PAGE}/{told['form_key']}/end").status_code == 303
    assert "New models." not in vera.get("/dashboard").text
    assert bob.post(f"/announcements/{new_id()}/dismiss").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": " "},
        {"text": "x" * 281},
        {"kind": "loud"},
        {"link": "javascript:alert(1)"},
        {"link": "//evil.example"},
        {"link": "http://plain.example"},
        {"starts_at": "soon"},
        {"ends_at": "2020-01-01T00:00"},
        {"starts_at": "2199-01-01T00:00"},
        {"form_key": "1"},
    ],
)
def test_what_cannot_be_announced_is_refused(sqlite_people: People, wrong: dict[str, str]):
    ada = sqlite_people.browser(sqlite_people.ada)

    assert ada.post(PAGE, form("Something") | wrong).status_code == 422


def test_a_page_asks_no_question_more_while_nothing_is_announced(
    people: People, browser: Open, count_queries: Callable[[], AbstractContextManager[Counted]]
):
    ada = browser(people.ada)
    ada.get(PAGE)

    with people.app.app_context(), count_queries() as counted:
        ada.get(PAGE)

    # Who asks with what is announced, which workspaces, the pill; the list, who wrote.
    assert counted.number == 5
