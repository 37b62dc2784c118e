"""Budgets: who may set them, which one holds, and that each step speaks once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.costs.bills import NOVEMBER_20, Bill
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import Month, days_between
from tokenboard.core.db import db
from tokenboard.costs import budget_service
from tokenboard.costs.budget_tasks import check_budgets
from tokenboard.costs.models import Budget, BudgetAlert
from tokenboard.notices.models import Notice
from tokenboard.workspaces import channels
from tokenboard.workspaces.models import Workspace

USD = 1_000_000_000
NOVEMBER = Month(2026, 11)


@pytest.fixture(autouse=True)
def november_20():
    with time_machine.travel(NOVEMBER_20, tick=False) as travel:
        yield travel


def _steady(nano: int = 10 * USD) -> dict[date, int]:
    """190 dollars up to the 19th, 300 by the end of the month."""
    return dict.fromkeys(days_between(date(2026, 9, 1), date(2026, 11, 19)), nano)


def _set(people: People, dollars: int, **more: object) -> Budget:
    return budget_service.set_budget(
        workspace_id=people.team_id,
        actor=db.session.get_one(Person, people.alice.id),
        amount_cents=dollars * 100,
        **more,  # type: ignore[arg-type]
    )


def _steps(people: People) -> list[str]:
    return list(db.session.scalars(sa.select(BudgetAlert.step).order_by(BudgetAlert.step)))


def _notices() -> list[Notice]:
    return list(db.session.scalars(sa.select(Notice).order_by(Notice.address, Notice.subject)))


# Setting them


def test_a_budget_is_set_changed_listed_and_deleted(people: People):
    admin, viewer = people.bearer(people.dave), people.bearer(people.vera)

    made = admin.post("/api/budgets", {"workspaceId": people.team_id, "amountCents": 180_000})
    changed = admin.post("/api/budgets", {"workspaceId": people.team_id, "amountCents": 200_000})
    named = admin.post("/api/budgets", {"workspaceId": people.team_id, "amountCents": 500, "month": "2026-12"})

    assert made.status_code == changed.status_code == named.status_code == 200
    budget = changed.json["budget"]
    assert budget["id"] == made.json["budget"]["id"]
    assert (budget["amountCents"], budget["amountUsd"], budget["month"]) == (200_000, 2000, None)
    listed = viewer.get(f"/api/budgets?workspaceId={people.team_id}").json["budgets"]
    assert [(one["month"], one["amountCents"]) for one in listed] == [(None, 200_000), ("2026-12", 500)]
    assert admin.delete(f"/api/budgets/{budget['id']}").status_code == 204
    assert len(viewer.get(f"/api/budgets?workspaceId={people.team_id}").json["budgets"]) == 1
    with people.app.app_context():
        acts = db.session.scalars(sa.select(AuditEntry.act).where(AuditEntry.act.startswith("costs.budget")))
        assert sorted(acts) == ["costs.budget_removed", *["costs.budget_set"] * 3]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "amountCents"),
        ({"amountCents": 0}, "amountCents"),
        ({"amountCents": -5}, "amountCents"),
        ({"amountCents": "100"}, "amountCents"),
        ({"amountCents": 12.5}, "amountCents"),
        ({"amountCents": True}, "amountCents"),
        ({"amountCents": 10**12}, "amountCents"),
        ({"amountCents": 100, "month": "2026-13"}, "month"),
        ({"amountCents": 100, "month": 11}, "month"),
        ({"amountCents": 100, "projectId": "proj_nowhere"}, "projectId"),
        ({"amountCents": 100, "projectId": "p\u0000"}, "projectId"),
    ],
)
def test_a_bad_budget_is_refused_by_name(sqlite_people: People, body: dict, field: str):
    answer = sqlite_people.bearer(sqlite_people.alice).post("/api/budgets", body)

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == [field]


def test_members_may_read_but_not_set_and_strangers_see_nothing(people: People):
    body = {"workspaceId": people.team_id, "amountCents": 100}
    with people.app.app_context():
        budget_id = _set(people, 5).id
        db.session.commit()

    for someone, status in ((people.bob, 403), (people.vera, 403), (people.charlie, 404), (people.ada, 404)):
        client = people.bearer(someone)
        assert client.post("/api/budgets", body).status_code == status
        assert client.delete(f"/api/budgets/{budget_id}").status_code == status
    assert people.bearer(people.charlie).get(f"/api/budgets?workspaceId={people.team_id}").status_code == 404
    assert people.browser(None).post("/api/budgets", json=body).status_code == 401


def test_the_page_sets_changes_and_deletes(people: People):
    browser = people.browser(people.dave)
    browser.post("/workspaces/switch", {"workspace_id": people.team_id})
    form = {"workspace_id": people.team_id, "amount": "$1800", "project_id": "", "month": ""}

    saved = browser.post("/settings/budgets", form)
    page = browser.get("/settings/budgets").text
    with people.app.app_context():
        budget = db.session.scalars(sa.select(Budget)).one()

    assert saved.status_code == 303
    assert budget.amount_cents == 180_000
    assert "$1,800.00" in page
    assert browser.post(f"/settings/budgets/{budget.id}/delete").status_code == 303
    assert "No budget yet" in browser.get("/settings/budgets").text


@pytest.mark.parametrize(
    ("amount", "why"), [("", "12 or 12.50"), ("1e3", "12 or 12.50"), ("0", "between"), ("5.123", "two")]
)
def test_a_bad_amount_keeps_the_form_and_says_why(sqlite_people: People, amount: str, why: str):
    people = sqlite_people
    answer = people.browser(people.alice).post(
        "/settings/budgets", {"workspace_id": people.team_id, "amount": amount, "month": "2026-11"}
    )

    assert answer.status_code == 422
    assert why in answer.text
    assert 'value="2026-11"' in answer.text


def test_a_viewer_sees_the_page_without_forms(sqlite_people: People):
    browser = sqlite_people.browser(sqlite_people.vera)
    browser.post("/workspaces/switch", {"workspace_id": sqlite_people.team_id})

    page = browser.get("/settings/budgets")

    assert page.status_code == 200
    assert "Set budget" not in page.text
    assert browser.post("/settings/budgets", {"workspace_id": sqlite_people.team_id, "amount": "5"}).status_code == 403


def test_the_preview_says_on_which_days_an_amount_would_have_triggered(people: People):
    with people.app.app_context():
        Bill.of(people.alice.workspace_id).tell_totals(_steady())

    preview = (
        people.browser(people.alice)
        .fragment("/settings/budgets?amount=240", "budget_preview")
        .text.replace("\xa0", " ")
    )

    assert "In October 2026 it would have triggered on 12 Oct (50 %), 20 Oct (80 %) and 24 Oct (100 %)." in preview
    assert "In November 2026 so far it would have triggered on 12 Nov (50 %)." in preview
    assert "it breaks on 25 Nov" in preview


# Speaking


def test_steps_are_raised_once_each_and_the_highest_is_told(people: People):
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals(_steady())
        _set(people, 220)  # 190 of it used: 86 %
        db.session.commit()

        check_budgets(people.team_id)
        check_budgets(people.team_id)

        assert _steps(people) == ["50", "80", "forecast"]
        told = _notices()
        assert [notice.address for notice in told] == [people.alice.email] * 2  # the owner, while there are no channels
        assert [notice.subject for notice in told] == [
            "Budget of Acme: 80 % used ($190.00 of $220.00)",
            "Budget of Acme: forecast above the budget ($300 expected, budget $220.00)",
        ]
        assert "At this pace the budget will be passed on 23\xa0Nov." in told[0].body


def test_the_next_step_speaks_when_it_is_reached_and_next_month_all_speak_anew(people: People, november_20):
    with people.app.app_context():
        bill = Bill.of(people.team_id).tell_totals(_steady())
        _set(people, 200)
        db.session.commit()
        check_budgets(people.team_id)
        assert _steps(people) == ["50", "80", "forecast"]

        bill.tell_totals({date(2026, 11, 20): 20 * USD})
        check_budgets(people.team_id)
        assert _steps(people) == ["100", "50", "80", "forecast"]

        november_20.move_to(NOVEMBER_20 + timedelta(days=25))
        bill.tell_totals(dict.fromkeys(days_between(date(2026, 12, 1), date(2026, 12, 14)), 10 * USD))
        check_budgets(people.team_id)

        december = db.session.scalars(sa.select(BudgetAlert.step).where(BudgetAlert.month == "2026-12"))
        assert sorted(december) == ["50", "forecast"]


def test_channels_get_it_instead_of_the_owner_webhooks_signed(people: People):
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals(_steady())
        channels.add_email(workspace_id=people.team_id, address="finance@example.com", actor=people.alice.id)
        channels.add_webhook(workspace_id=people.team_id, address="http://127.0.0.1:9/tb", actor=people.alice.id)
        _set(people, 300)
        db.session.commit()

        check_budgets(people.team_id)

        told = {notice.channel: notice for notice in _notices()}
        assert {notice.address for notice in told.values()} == {"finance@example.com", "http://127.0.0.1:9/tb"}
        payload = json.loads(told["webhook"].body)
        assert payload["type"] == "budget.reached"
        assert payload["data"]["step"] == "50"
        assert (payload["data"]["spentUsd"], payload["data"]["budgetUsd"]) == (190, 300)
        assert told["webhook"].sealed_secret


def test_a_projects_budget_watches_the_project_alone(people: People):
    with people.app.app_context():
        days = {day: [("proj_a", "x", "", 1 * USD), ("proj_b", "x", "", 9 * USD)] for day in _steady()}
        Bill.of(people.team_id).tell(days).names({"proj_a": "Search"})
        _set(people, 25, project_id="proj_a")  # 19 of 25
        db.session.commit()

        check_budgets(people.team_id)

        assert _steps(people) == ["50", "forecast"]
        assert "Budget of Acme / Search: 50 % used ($19.00 of $25.00)" in [notice.subject for notice in _notices()]


def test_a_billed_project_without_a_name_can_have_a_budget_and_a_past_one_says_that_it_is_over(people: People):
    with people.app.app_context():
        Bill.of(people.team_id).tell({date(2026, 11, 19): [("proj_gone", "x", "", USD)]}).names({"proj_a": "Search"})
        db.session.remove()
    alice = people.bearer(people.alice)
    asked = {"workspaceId": people.team_id, "amountCents": 30_000}

    billed, unknown, past = (
        alice.post("/api/budgets", json=asked | more)
        for more in ({"projectId": "proj_gone"}, {"projectId": "proj_x"}, {"month": "2026-10"})
    )

    assert (billed.status_code, unknown.status_code, past.status_code) == (200, 422, 200)
    browser = people.browser(people.alice)
    browser.post("/workspaces/switch", {"workspace_id": people.team_id})
    assert "That month is over." in browser.get("/settings/budgets").text


def test_a_demo_workspace_raises_alerts_and_tells_nobody(people: People):
    with people.app.app_context():
        db.session.get_one(Workspace, people.team_id).is_demo = True
        Bill.of(people.team_id).tell_totals(_steady())
        _set(people, 220)
        db.session.commit()

        check_budgets(people.team_id)

        assert _steps(people) == ["50", "80", "forecast"]
        assert _notices() == []


def test_a_few_days_of_history_are_no_reason_to_warn_of_the_end_of_the_month(people: People):
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals({date(2026, 11, 19): 10 * USD})
        _set(people, 50)
        db.session.commit()

        check_budgets(people.team_id)

        assert _steps(people) == []


def test_setting_a_budget_has_it_checked(people: People, run_jobs: Callable[[], int]):
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals(_steady())
    people.bearer(people.alice).post("/api/budgets", {"workspaceId": people.team_id, "amountCents": 30_000})

    run_jobs()

    with people.app.app_context():
        assert _steps(people) == ["50"]
