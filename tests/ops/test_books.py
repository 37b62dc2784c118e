"""The books: every law as a lamp, an alert for each that breaks, /healthz/books from the last check."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import select, text

from tests.people import Browser, People, Someone
from tokenboard.audit.alerts import open_alerts
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.jobs import run_task
from tokenboard.ledger.invariants import LAWS as LEDGER_LAWS
from tokenboard.metering.laws import METERING_LAWS
from tokenboard.ops.models import BooksLamp

LAWS = (*LEDGER_LAWS, *METERING_LAWS)

PAGE, CHECK, HEALTH = "/admin/books", "/admin/books/check", "/healthz/books"
Open = Callable[[Someone | None], Browser]


def _check(app: Flask) -> None:
    with app.app_context():
        run_task("ops.check_books")


def _break_a_wallet(people: People, micros: int) -> None:
    """A balance that no transfer made: what a wrong hand in the database would do."""
    with people.app.app_context():
        changed = "UPDATE ledger_account SET posted_micros = posted_micros + :m WHERE kind = 'wallet'"
        db.session.execute(text(changed), {"m": micros})
        db.session.commit()


def test_before_the_first_check_monitors_are_told_so(people: People):
    answer = people.app.test_client().get(HEALTH)

    assert (answer.status_code, answer.json["status"]) == (503, "unchecked")
    assert answer.json["checkedAt"] is None


def test_the_nightly_job_lights_a_lamp_for_every_law(people: People):
    _check(people.app)

    answer = people.app.test_client().get(HEALTH)

    assert (answer.status_code, answer.json["status"], answer.json["broken"]) == (200, "ok", [])
    with people.app.app_context():
        lamps = db.session.scalars(select(BooksLamp).order_by(BooksLamp.position)).all()
    assert [lamp.name for lamp in lamps] == [law.number for law in LAWS]
    assert all(lamp.last_clean_at == lamp.checked_at for lamp in lamps)


def test_a_broken_law_turns_red_raises_an_alert_and_names_its_first_offender(people: People, browser: Open):
    _check(people.app)
    _break_a_wallet(people, 7)
    _check(people.app)

    answer, page = people.app.test_client().get(HEALTH), browser(people.ada).get(PAGE).text

    assert (answer.status_code, answer.json["status"]) == (503, "broken")
    assert "I1" in answer.json["broken"]
    assert "First offender:" in page
    with people.app.app_context():
        alerts = {alert.open_key: alert for alert in open_alerts()}
        lamp = db.session.get_one(BooksLamp, "I1")
    assert alerts["ledger.books:I1"].severity == "critical"
    assert lamp.last_clean_at is not None
    assert lamp.last_clean_at < lamp.checked_at


def test_the_check_repairs_nothing_and_is_green_again_once_a_person_has(people: People):
    _break_a_wallet(people, 7)
    for _ in range(2):
        _check(people.app)
        assert people.app.test_client().get(HEALTH).status_code == 503

    _break_a_wallet(people, -7)
    _check(people.app)

    assert people.app.test_client().get(HEALTH).status_code == 200
    with people.app.app_context():
        assert open_alerts() == []


def test_a_check_that_is_too_old_is_a_failure_of_its_own(people: People):
    _check(people.app)

    with time_machine.travel(now() + timedelta(hours=27), tick=False):
        answer = people.app.test_client().get(HEALTH)

    assert (answer.status_code, answer.json["status"]) == (503, "late")


def test_an_administrator_checks_now_and_it_is_audited(people: People, browser: Open):
    ada = browser(people.ada)
    assert "Not checked yet" in ada.get(PAGE).text

    assert ada.post(CHECK).headers["Location"] == PAGE

    page = ada.get(PAGE).text
    assert f"All {len(LAWS)} laws hold." in page
    assert page.count("holds</span>") == len(LAWS)
    with people.app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "ops.books_checked")).one()
    assert (entry.actor, entry.facts["broken"]) == (people.ada.id, [])


def test_the_page_shows_what_is_outstanding_and_the_houses_accounts(people: People, browser: Open):
    body = {"amount": 250, "reason": "x", "idempotencyKey": "k"}
    people.bearer(people.alice).post("/api/credits/spend", json=body)

    page = browser(people.ada).get(PAGE).text

    # Six people with 1,000 sign-up credits each, 250 of them used.
    assert "$57.50" in page
    assert "5,750 credits in 7 wallets" in page
    assert "−6,000" in page
    assert 'title="250 credits">250<' in page


def test_checking_is_rate_limited(sqlite_people: People):
    ada = sqlite_people.browser(sqlite_people.ada)

    assert [ada.post(CHECK).status_code for _ in range(7)] == [303] * 6 + [429]


def test_demo_wallets_stand_outside_the_totals(people: People, browser: Open):
    with people.app.app_context():
        db.session.execute(text("UPDATE ledger_account SET is_demo = :yes WHERE kind = 'wallet'"), {"yes": True})
        db.session.commit()

    assert "0 credits in 0 wallets" in browser(people.ada).get(PAGE).text
