"""/admin/adjust: administrators give and take, with a reason; large ones wait for a second; a day has a cap."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.ledger.crowds import at_once
from tests.people import Browser, People, Someone
from tokenboard.accounts.models import Person
from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db, new_id
from tokenboard.wallet import adjustment_service
from tokenboard.wallet.adjustment_service import Wish
from tokenboard.wallet.errors import AlreadyDecided, DailyCapReached
from tokenboard.wallet.models import Adjustment, AdjustmentKind
from tokenboard.workspaces.models import Workspace

PAGE = "/admin/adjust"
MICROS = 1_000_000
Open = Callable[[Someone | None], Browser]
Posted = Callable[[str], int]


@pytest.fixture
def second(people: People) -> Someone:
    """Dave runs the site too."""
    with people.app.app_context():
        db.session.get_one(Person, people.dave.id).is_admin = True
        db.session.commit()
    return people.dave


def _form(people: People, **more: str) -> dict[str, str]:
    form = {"workspace_id": people.team_id, "kind": "gift", "amount": "50", "reason": "A kind gesture"}
    return form | {"form_key": new_id(), "who": people.team_id} | more


def _adjust(browser: Browser, people: People, **more: str) -> TestResponse:
    return browser.post(PAGE, _form(people, **more))


def _rows(people: People) -> list[Adjustment]:
    with people.app.app_context():
        return list(db.session.scalars(select(Adjustment).order_by(Adjustment.created_at)))


def test_people_and_workspaces_are_found_with_their_balances(people: People, browser: Open):
    ada = browser(people.ada)

    by_email = ada.get(f"{PAGE}?who=Alice@example.com").text
    by_id = ada.fragment(f"{PAGE}?who={people.team_id}", "targets").text

    assert "Alice’s workspace · 1,000 credits" in by_email
    assert "Acme · 0 credits" in by_email
    assert by_id.lstrip().startswith('<section id="targets"')
    assert "Alice’s workspace" not in by_id
    assert "Nobody found" in ada.get(f"{PAGE}?who=nobody@example.com").text


def test_a_gift_is_posted_listed_and_audited(people: People, browser: Open, posted: Posted):
    ada = browser(people.ada)

    assert _adjust(ada, people, expires_on="2199-01-31").status_code == 303

    assert posted(people.team_id) == 50 * MICROS
    page = ada.get(PAGE).text
    assert all(words in page for words in ("+50", "A kind gesture", "Ada", "posted"))
    with people.app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "wallet.adjustment_posted")).one()
    assert (entry.actor, entry.workspace_id) == (people.ada.id, people.team_id)
    assert entry.facts == {"kind": "gift", "amount_micros": 50 * MICROS, "reason": "A kind gesture"}


def test_a_correction_may_take_down_to_what_is_there(people: People, browser: Open, posted: Posted):
    ada = browser(people.ada)
    assert _adjust(ada, people, kind="correction", amount="20").status_code == 303
    assert _adjust(ada, people, kind="correction", amount="-15.5").status_code == 303
    assert posted(people.team_id) == 4_500_000

    refused = _adjust(ada, people, kind="correction", amount="-5")

    assert (refused.status_code, "not enough credits" in refused.text) == (402, True)
    assert posted(people.team_id) == 4_500_000


def test_a_form_sent_twice_gives_once(people: People, browser: Open, posted: Posted):
    ada, form = browser(people.ada), _form(people)

    assert [ada.post(PAGE, form).status_code for _ in range(2)] == [303, 303]

    assert posted(people.team_id) == 50 * MICROS


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("amount", {"amount": "1e9"}),
        ("amount", {"amount": "-5"}),
        ("amount", {"amount": ""}),
        ("reason", {"reason": "x"}),
        ("expires_on", {"expires_on": "2020-01-01"}),
        ("expires_on", {"expires_on": "2199-01-01", "kind": "correction"}),
        ("kind", {"kind": "steal"}),
    ],
)
def test_what_cannot_be_read_is_refused_and_kept_in_the_form(
    people: People, browser: Open, posted: Posted, field: str, more: dict[str, str]
):
    refused = _adjust(browser(people.ada), people, **more)

    assert refused.status_code == 422
    assert field == "kind" or "field-error" in refused.text
    assert posted(people.team_id) == 0


def test_a_large_one_waits_for_another_administrator(people: People, browser: Open, posted: Posted, second: Someone):
    ada, dave = browser(people.ada), browser(second)
    _adjust(ada, people, amount="10,000.000001")
    assert posted(people.team_id) == 0
    proposal = _rows(people)[0]
    assert (proposal.state, "Approve" in ada.get(PAGE).text) == ("proposed", False)
    approve = f"{PAGE}/{proposal.id}/approve"

    alone = ada.post(approve)
    together = dave.post(approve)

    assert (alone.status_code, together.status_code) == (403, 303)
    assert posted(people.team_id) == 10_000_000_001
    assert re.search(r"Ada <small[^>]*>with Dave", ada.get(PAGE).text)
    assert dave.post(approve).status_code == 409


def test_a_proposal_can_be_withdrawn_or_declined_once(people: People, browser: Open, posted: Posted, second: Someone):
    ada, dave = browser(people.ada), browser(second)
    for _ in range(2):
        _adjust(ada, people, amount="20000")
    mine, other = (row.id for row in _rows(people))

    assert ada.post(f"{PAGE}/{mine}/decline").status_code == 303
    assert dave.post(f"{PAGE}/{other}/decline").status_code == 303
    assert dave.post(f"{PAGE}/{mine}/approve").status_code == 409
    assert posted(people.team_id) == 0


def test_two_who_approve_at_once_post_once(people: People, browser: Open, posted: Posted, second: Someone):
    _adjust(browser(people.ada), people, amount="20000")
    proposal = _rows(people)[0].id

    def approve() -> Any:
        actor = db.session.get_one(Person, second.id)
        return adjustment_service.approve(adjustment_id=proposal, actor=actor).state

    answers = at_once(people.app, [approve] * 5)

    assert [one for one in answers if not isinstance(one, AlreadyDecided)] == ["posted"]
    assert posted(people.team_id) == 20_000 * MICROS


def test_a_day_has_a_cap_also_for_many_at_once(people: People, posted: Posted):
    def give() -> Any:
        workspace = db.session.get_one(Workspace, people.team_id)
        wish = Wish(workspace, AdjustmentKind.GIFT, 9_000 * MICROS, "again and again")
        actor = db.session.get_one(Person, people.ada.id)
        return adjustment_service.adjust(wish=wish, actor=actor, adjustment_id=new_id()).state

    answers = at_once(people.app, [give] * 8)

    assert sum(isinstance(one, DailyCapReached) for one in answers) == 3
    assert posted(people.team_id) == 45_000 * MICROS


def test_the_cap_is_told_on_the_page(people: People, browser: Open):
    ada = browser(people.ada)
    answers = [_adjust(ada, people, amount="10000") for _ in range(6)]

    assert [one.status_code for one in answers] == [303] * 5 + [429]
    assert "50,000 credits that may be given or taken alone" in answers[-1].text


@pytest.mark.parametrize("path", ["/admin", PAGE, "/admin/books"])
def test_the_control_room_does_not_exist_for_others(people: People, browser: Open, path: str):
    assert [browser(one).get(path).status_code for one in (people.alice, people.charlie, None)] == [404, 404, 303]


def test_nobody_else_adjusts_approves_or_checks(people: People, browser: Open, posted: Posted):
    _adjust(browser(people.ada), people, amount="20000")
    proposal = _rows(people)[0].id
    alice = browser(people.alice)

    answers = [
        _adjust(alice, people).status_code,
        *(alice.post(path).status_code for path in (f"{PAGE}/{proposal}/approve", f"{PAGE}/{proposal}/decline")),
        alice.post("/admin/books/check").status_code,
    ]

    assert answers == [404] * 4
    assert posted(people.team_id) == 0


def test_the_only_workspaces_that_can_be_chosen_are_there(people: People, browser: Open):
    gone = _adjust(browser(people.ada), people, workspace_id=new_id())

    assert gone.status_code == 404
