"""The balance pill: on every page, beside every answer that changes it, and asked for by other open tabs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import select

from tests.people import Browser, People, Someone
from tokenboard.accounts.models import SignIn
from tokenboard.core.clock import now
from tokenboard.core.db import db

PILL = "/credits/pill"
Open = Callable[[Someone | None], Browser]


def _spend(people: People, amount: float) -> None:
    body = {"amount": amount, "reason": "x", "idempotencyKey": str(amount)}
    assert people.bearer(people.alice).post("/api/credits/spend", json=body).status_code == 200


def test_every_page_shows_what_can_be_spent(people: People, browser: Open):
    _spend(people, 20.5)

    page = browser(people.alice).get("/settings/general").text

    pill = page.partition('id="balance_pill"')[2].partition("</a>")[0]
    assert "979 credits" in pill
    assert "$9.80" in pill
    assert "hx-swap-oob" not in pill


def test_the_fragment_is_the_pill_alone_and_asks_on_from_what_it_shows(people: People, browser: Open):
    answer = browser(people.alice).get(f"{PILL}?seen=5")

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="balance_pill"')
    assert f'hx-get="{PILL}?seen=1000000000"' in answer.text
    assert 'hx-trigger="every 30s, shown"' in answer.text


def test_nothing_comes_back_while_nothing_has_changed(people: People, browser: Open):
    alice = browser(people.alice)

    assert alice.get(f"{PILL}?seen=1000000000").status_code == 204
    _spend(people, 1)
    assert alice.get(f"{PILL}?seen=1000000000").status_code == 200


def test_a_small_balance_keeps_its_decimals(people: People, browser: Open):
    _spend(people, 999.5)

    assert "0.5000 credits" in browser(people.alice).get(PILL).text


def test_an_open_tab_keeps_no_idle_session_alive(people: People, browser: Open):
    alice = browser(people.alice)
    with time_machine.travel(now() + timedelta(hours=1), tick=False):
        alice.get(f"{PILL}?seen=1000000000")
        before = _last_seen(people.app)
        alice.get("/credits")
        after = _last_seen(people.app)

    assert after - before >= timedelta(minutes=50)


def _last_seen(app: Flask):
    with app.app_context():
        return max(db.session.scalars(select(SignIn.last_seen_at)))


def test_the_pill_is_for_who_is_signed_in(people: People, browser: Open):
    assert browser(None).get(PILL).status_code == 303
