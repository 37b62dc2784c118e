"""Payments and receipts under /credits, as CSV and as JSON: all of them, newest first, by keyset."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.billing.buying import plain
from tests.people import Browser, People
from tokenboard.billing.models import Payment
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token
from tokenboard.core.db import db

PAGE = "/credits?tab=payments"


def write(people: People, number: int = 1, **facts: Any) -> list[str]:
    """Orders of Alice's, a minute apart; their ids, the newest first."""
    plain_facts: dict[str, Any] = {
        "workspace_id": people.alice.workspace_id,
        "person_id": people.alice.id,
        "provider": "stripe",
        "kind": "pack",
        "title": "100 credits",
        "amount_minor": 999,
        "currency": "usd",
        "credits_micros": 100_000_000,
    }
    with people.app.app_context():
        rows = [
            Payment(
                intent_key=new_token(),
                **(plain_facts | {"created_at": now() - timedelta(minutes=place), "title": f"Pack {place}"} | facts),
            )
            for place in range(number)
        ]
        db.session.add_all(rows)
        db.session.commit()
        return [row.id for row in rows]


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def test_nothing_yet_says_what_will_stand_here(alice: Browser):
    assert "No payments yet" in alice.get(PAGE).text
    assert "No receipts yet" in alice.get("/credits?tab=receipts").text


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "started", "url": "https://checkout.stripe.com/x"}, "started Pay Check now"),
        ({"state": "pending"}, "started → on its way Check now"),
        ({"state": "paid", "paid_at": now()}, "started → paid Check now"),
        ({"state": "credited", "paid_at": now(), "credited_at": now()}, "started → paid → credited"),
        ({"state": "failed", "ended_at": now(), "told": "Declined"}, "started → failed Try again"),
        ({"state": "expired", "ended_at": now()}, "started → left Try again"),
        (
            {"state": "partly_refunded", "paid_at": now(), "credited_at": now(), "refunded_minor": 333},
            "started → paid → credited → partly refunded",
        ),
        (
            {"state": "lost", "paid_at": now(), "credited_at": now(), "disputed_minor": 999},
            "started → paid → credited → charged back",
        ),
    ],
)
def test_each_state_says_how_far_it_has_come_and_what_can_be_done(
    people: People, alice: Browser, facts: dict[str, Any], words: str
):
    write(people, **facts)

    row = plain(alice.get(PAGE).text).partition("What to do")[2]

    assert words in row
    if "refunded_minor" in facts:
        assert "$9.99 −$3.33" in row
    if "told" in facts:
        assert "Declined. Nothing was charged." in row


def test_the_list_is_followed_by_links_and_filtered_by_state(people: People, alice: Browser):
    ids = write(people, 30)
    write(people, state="failed", title="Broken")

    first = alice.get(PAGE).text
    older = re.search(r'href="(/credits\?tab=payments&amp;cursor=[^"]+)"', first)
    assert older is not None
    second = alice.get(older[1].replace("&amp;", "&")).text
    assert [f"Pack {place}<" in second for place in (20, 24, 29)] == [False, True, True]
    assert "Newest" in second
    assert ids[0] not in second

    failed = alice.fragment(f"{PAGE}&state=unpaid", "history").text
    assert failed.strip().startswith('<div id="history"')
    assert "Broken" in failed
    assert "Pack 3<" not in failed
    assert "No payments like that" in alice.get(f"{PAGE}&state=back").text


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=-1", "state=gold", "tab=gold", "cursor=00000000-0000-4000-8000-000000000000"]
)
def test_an_address_that_makes_no_sense_shows_the_page(people: People, alice: Browser, query: str):
    write(people)

    assert alice.get(f"{PAGE}&{query}").status_code == 200


def test_the_cursor_of_another_workspace_is_none(people: People):
    mine = write(people, 2)
    charlie = people.browser(people.charlie)

    assert charlie.get(f"{PAGE}&cursor={mine[0]}").status_code == 200


def test_receipts_are_of_what_was_paid_with_the_providers_where_it_gave_one(people: People, alice: Browser):
    write(people, title="Left alone")
    paid = write(
        people,
        title="Plan",
        kind="invoice",
        state="credited",
        paid_at=now(),
        receipt_url="https://invoice.stripe.com/i",
    )
    write(people, title="Checkout", kind="plan", state="paid", paid_at=now())

    page = alice.get("/credits?tab=receipts").text

    assert "Left alone" not in page
    assert "<b>Checkout</b>" not in page
    assert f'href="/credits/payments/{paid[0]}/receipt"' in page
    assert 'href="https://invoice.stripe.com/i"' in page


def test_the_csv_is_the_same_list_in_exact_numbers(people: People, alice: Browser):
    write(people, 2, title="=HYPERLINK(1)")
    write(people, title="Yen", currency="jpy", amount_minor=1_500, state="credited", paid_at=now(), charged_minor=1_500)

    answer = alice.get("/credits/payments.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert 'filename="tokenboard-payments.csv"' in answer.headers["Content-Disposition"]
    assert sorted((row["What"], row["Amount"], row["Currency"], row["Credits"]) for row in rows) == [
        ("'=HYPERLINK(1)", "9.99", "USD", "100.000000"),
        ("'=HYPERLINK(1)", "9.99", "USD", "100.000000"),
        ("Yen", "1500", "JPY", "100.000000"),
    ]
    assert len(alice.get("/credits/payments.csv?state=credited").text.splitlines()) == 2
    assert len(alice.get("/credits/payments.csv?tab=receipts").text.splitlines()) == 2
    assert people.browser(people.charlie).get("/credits/payments.csv").text.count("\n") == 1


def test_the_csv_goes_past_one_page(people: People, alice: Browser):
    write(people, 501)

    assert len(alice.get("/credits/payments.csv").text.splitlines()) == 1 + 501


def test_programs_list_payments_by_cursor_and_state(people: People):
    ids = write(people, 5)
    write(people, state="failed")
    program = people.bearer(people.alice)

    first = program.get("/api/billing/payments?limit=4&status=started").json
    second = program.get(f"/api/billing/payments?limit=4&status=started&cursor={first['nextCursor']}").json

    assert [one["id"] for one in first["payments"] + second["payments"]] == ids
    assert second["nextCursor"] is None
    assert first["payments"][0]["amountCents"] == 999
    assert program.get("/api/billing/payments?status=gold").status_code == 422
    assert people.bearer(people.charlie).get(f"/api/billing/payments?workspaceId={people.team_id}").status_code == 404
