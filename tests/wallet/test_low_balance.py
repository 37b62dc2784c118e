"""Told once each time the balance falls below the line; armed again when it is back above."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.ledger.crowds import at_once
from tests.people import Browser, People, Someone
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import service as ledger
from tokenboard.notices.models import Notice
from tokenboard.wallet.low_balance_service import KIND
from tokenboard.wallet.models import LowBalance
from tokenboard.workspaces import channels

LINE = "/credits/low-balance"
Open = Callable[[Someone | None], Browser]
Give = Callable[..., TestResponse]


def _draw(browser: Browser, threshold: str, **more: str) -> TestResponse:
    return browser.post(LINE, {"threshold": threshold} | more)


def _spend(people: People, amount: int, key: str) -> None:
    body = {"amount": amount, "reason": "work", "idempotencyKey": key}
    assert people.bearer(people.alice).post("/api/credits/spend", json=body).status_code == 200


def _told(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        told = db.session.scalars(select(Notice).where(Notice.kind == KIND).order_by(Notice.created_at, Notice.id))
        return [(one.address, one.subject) for one in told]


def test_falling_below_the_line_tells_the_owner_once(people: People, browser: Open):
    _draw(browser(people.alice), "500")
    _spend(people, 400, "a")
    assert _told(people.app) == []

    _spend(people, 101, "b")
    _spend(people, 50, "c")

    assert _told(people.app) == [("alice@example.com", "Alice’s workspace: 499 credits left")]


def test_it_is_told_again_after_the_balance_was_above(people: People, browser: Open, give: Give):
    _draw(browser(people.alice), "500")
    _spend(people, 600, "a")
    give(email="alice@example.com", amount=99)
    _spend(people, 1, "b")
    assert len(_told(people.app)) == 1

    give(email="alice@example.com", amount=2, idempotencyKey="second")
    _spend(people, 1, "c")

    assert [subject for _, subject in _told(people.app)] == [
        "Alice’s workspace: 400 credits left",
        "Alice’s workspace: 499 credits left",
    ]


def test_every_channel_is_told_and_the_owner_no_more(people: People, browser: Open):
    with people.app.app_context():
        own = people.alice.workspace_id
        channels.add_email(workspace_id=own, address="ops@example.com", actor="test")
        channels.add_webhook(workspace_id=own, address="http://127.0.0.1:9/hook", actor="test")
        db.session.commit()
    _draw(browser(people.alice), "500")

    _spend(people, 501, "a")

    assert {address for address, _ in _told(people.app)} == {"ops@example.com", "http://127.0.0.1:9/hook"}
    with people.app.app_context():
        hook = db.session.scalars(select(Notice).where(Notice.channel == "webhook")).one()
    assert '"balanceMicros":499000000' in hook.body


def test_twenty_spends_at_once_over_the_line_tell_once(people: People, browser: Open, wallet_of: Callable[[str], str]):
    _draw(browser(people.alice), "990")
    wallet = wallet_of(people.alice.workspace_id)

    at_once(
        people.app,
        [partial(ledger.spend, wallet_id=wallet, amount_micros=1_000_000, key=f"k{n}") for n in range(20)],
    )

    assert len(_told(people.app)) == 1


def test_a_spend_that_is_rolled_back_tells_nobody(people: People, browser: Open, wallet_of: Callable[[str], str]):
    _draw(browser(people.alice), "500")
    wallet = wallet_of(people.alice.workspace_id)

    with people.app.app_context():
        ledger.spend(wallet_id=wallet, amount_micros=900_000_000, key="k")
        db.session.rollback()

    assert _told(people.app) == []


def test_a_hold_that_comes_back_is_no_crossing(people: People, browser: Open, wallet_of: Callable[[str], str]):
    _draw(browser(people.alice), "500")
    wallet = wallet_of(people.alice.workspace_id)
    with people.app.app_context():
        placed = ledger.hold(
            wallet_id=wallet, amount_micros=900_000_000, key="h", expires_at=now() + timedelta(minutes=1)
        )
        ledger.release(hold_id=placed.hold_id)
        db.session.commit()

    assert _told(people.app) == []


def test_a_line_above_the_balance_waits_for_the_next_fall(people: People, browser: Open, give: Give):
    alice = browser(people.alice)
    _draw(alice, "2,000")
    _spend(people, 1, "a")
    assert _told(people.app) == []
    assert "You are told the next time" in alice.get("/credits").text

    give(email="alice@example.com", amount=1_500)
    _spend(people, 600, "b")

    assert len(_told(people.app)) == 1
    assert "Your alert channels have been told" in alice.get("/credits").text


def test_the_line_is_shown_moved_and_taken_away(people: People, browser: Open):
    alice = browser(people.alice)
    assert _draw(alice, "1,500.5").status_code == 303
    assert 'value="1500.5"' in alice.get("/credits").text

    _draw(alice, "")

    with people.app.app_context():
        assert db.session.scalars(select(LowBalance)).all() == []
    assert 'value="1500.5"' not in alice.get("/credits").text


@pytest.mark.parametrize("threshold", ["abc", "-1", "0", "1e9", "1000000001", "١٢"])
def test_a_line_that_cannot_be_read_is_refused_in_place(people: People, browser: Open, threshold: str):
    refused = _draw(browser(people.alice), threshold)

    assert refused.status_code == 422
    assert "field-error" in refused.text


def test_owner_and_admins_draw_the_line(people: People, browser: Open):
    team = {"workspace_id": people.team_id}

    answers = [
        _draw(browser(someone), "5", **team).status_code
        for someone in (people.alice, people.dave, people.bob, people.vera, people.charlie)
    ]

    assert answers == [303, 303, 403, 403, 404]
    with people.app.app_context():
        assert [one.workspace_id for one in db.session.scalars(select(LowBalance))] == [people.team_id]
