"""The monthly summary: who gets it, what it says, and that it comes once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask

from tests.costs.bills import Bill
from tests.mailbox import SMTP, mails, settings
from tests.people import PASSWORD, People
from tests.portal.dashboards import USD
from tokenboard.accounts import mail_choices
from tokenboard.accounts.mail_choices import Mail
from tokenboard.accounts.models import Person
from tokenboard.core.clock import Month, now
from tokenboard.core.db import db, new_id
from tokenboard.ledger import service as ledger
from tokenboard.notices.models import Notice
from tokenboard.ops.periodic import latest_slot
from tokenboard.portal import signup, tasks
from tokenboard.schedule import PERIODIC
from tokenboard.workspaces.models import Workspace

OCTOBER, IN_OCTOBER = "2026-10", datetime(2026, 10, 20, 12, tzinfo=UTC)
FIRST = datetime(2026, 11, 1, 6, 10, tzinfo=UTC)


@pytest.fixture
def month_over(people: People) -> People:
    """The team's bill was 31 dollars in October and 20 in September; Alice spent 5 of her own credits."""
    with people.app.app_context():
        db.session.execute(db.update(Person).values(created_at=datetime(2026, 9, 1, tzinfo=UTC)))
        days = Month.parse(OCTOBER).days
        september = Month.parse("2026-09").first_day
        Bill.of(people.team_id).tell_totals({september: 20 * USD, **dict.fromkeys(days, USD)})
        with time_machine.travel(IN_OCTOBER, tick=False):
            wallet_id = db.session.get_one(Workspace, people.alice.workspace_id).ledger_account_id
            ledger.spend(wallet_id=wallet_id, amount_micros=5_000_000, key="k", description="chat", source="test")
            db.session.commit()
    return people


def _fire(app: Flask, at: datetime = FIRST) -> None:
    """The periodic job, and every bell it rings."""
    with app.app_context(), time_machine.travel(at, tick=False):
        for person_id in mail_choices.untold(Month.of(at.date()).shift(-1), after="", limit=100):
            tasks.mail_month(person_id, str(Month.of(at.date()).shift(-1)))


def _told(app: Flask) -> dict[str, Notice]:
    return {one.address: one for one in mails(app, "portal.month")}


def test_everybody_hears_of_the_workspaces_they_are_in(month_over: People):
    _fire(month_over.app)
    told = _told(month_over.app)

    assert set(told) == {"alice@example.com", "dave@example.com", "bob@example.com", "vera@example.com"}
    alice = told["alice@example.com"]
    assert alice.subject == "October 2026: what AI cost you"
    assert "Providers' bill:  $31.00 (the month before: $20.00)" in alice.body
    assert "Credits used:     5\n" in alice.body
    assert "Credits left now: 995" in alice.body
    assert "/dashboard?month=2026-10" in alice.body
    assert "$31.00" in alice.body_html
    assert "Alice’s workspace" not in told["bob@example.com"].body


def test_nobody_is_told_twice_by_a_second_firing_a_second_bell_or_after_the_outbox_has_forgotten(month_over: People):
    app = month_over.app
    _fire(app)
    _fire(app)
    with app.app_context(), time_machine.travel(FIRST, tick=False):
        tasks.mail_month(month_over.alice.id, OCTOBER)
    assert len(mails(app, "portal.month")) == 4

    with app.app_context():
        db.session.execute(db.delete(Notice))
        db.session.commit()
    _fire(app)
    assert mails(app, "portal.month") == []


def test_the_job_rings_a_bell_for_each_and_the_worker_takes_them(month_over: People, run_jobs):
    app = month_over.app
    with time_machine.travel(FIRST, tick=False):
        with app.app_context():
            tasks.mail_months()
        assert run_jobs() == 6

    assert len(_told(app)) == 4


def test_who_refused_left_is_disabled_or_never_confirmed_hears_nothing(month_over: People):
    app = month_over.app
    with app.app_context():
        mail_choices.choose(db.session.get_one(Person, month_over.bob.id), mails=[Mail.RECEIPTS])
        db.session.get_one(Person, month_over.dave.id).is_disabled = True
        db.session.get_one(Person, month_over.alice.id).email_verified_at = now()
        db.session.commit()
    with settings(app, smtp_url=SMTP):
        _fire(app)

    assert set(_told(app)) == {"alice@example.com"}


def test_somebody_who_came_after_the_month_hears_nothing_of_it(month_over: People):
    app = month_over.app
    with app.app_context():
        with time_machine.travel(datetime(2026, 11, 1, 1, tzinfo=UTC), tick=False):
            newcomer = signup.sign_up(email="eve@example.com", password=PASSWORD).person.id
            db.session.commit()
        untold = mail_choices.untold(Month.parse(OCTOBER), after="", limit=100)

    assert newcomer not in untold


def test_it_is_fired_on_the_first_three_days_so_that_one_lost_day_is_no_loss():
    cron = next(one.cron for one in PERIODIC if one.task == "portal.mail_months")

    assert latest_slot(cron, datetime(2026, 11, 20, tzinfo=UTC)) == datetime(2026, 11, 3, 18, 10, tzinfo=UTC)
    assert latest_slot(cron, datetime(2026, 12, 1, 6, 10, tzinfo=UTC)) == datetime(2026, 12, 1, 6, 10, tzinfo=UTC)


def test_mails_are_refused_and_wanted_again_on_the_page(month_over: People):
    alice = month_over.browser(month_over.alice)
    page = alice.get("/settings/notifications").get_data(as_text=True)
    assert page.count("checked") == 2

    assert alice.post("/settings/notifications/mails", {"mails": "mail_summary"}).status_code == 303
    page = alice.get("/settings/notifications").get_data(as_text=True)
    assert page.count("checked") == 1
    assert alice.post("/settings/notifications/mails", {"mails": "theme"}).status_code == 422
    alice.post("/settings/notifications/mails", {"mails": ["mail_summary", "mail_receipts"]})
    with month_over.app.app_context():
        assert mail_choices.wanted(db.session.get_one(Person, month_over.alice.id)) == set(Mail)


def test_last_months_summary_can_be_had_at_once_and_a_double_click_is_one(month_over: People):
    app, form = month_over.app, {"form_key": new_id()}
    with time_machine.travel(FIRST, tick=False):
        alice, charlie = month_over.browser(month_over.alice), month_over.browser(month_over.charlie)
        for _ in range(2):
            assert alice.post("/settings/notifications/summary", form).status_code == 303
        charlie.post("/settings/notifications/summary", {"form_key": new_id()})
        shown = charlie.get("/settings/notifications").get_data(as_text=True)

    assert list(_told(app)) == ["alice@example.com"]
    assert len(mails(app, "portal.month")) == 1
    assert "nothing to sum up" in shown


def test_nothing_goes_to_an_address_nobody_has_confirmed(month_over: People):
    with settings(month_over.app, smtp_url=SMTP):
        asked = month_over.browser(month_over.alice).post("/settings/notifications/summary", {"form_key": new_id()})

    assert asked.status_code == 409
    assert mails(month_over.app, "portal.month") == []
