"""/credits: what is left and in which order it is used, the ledger, CSV, receipts, all without JavaScript."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from tests.costs.counting import Counted
from tests.people import Browser, People, Someone
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category

PAGE, CSV = "/credits", "/credits/ledger.csv"
Open = Callable[[Someone | None], Browser]
Wallet = Callable[[str], str]


def _spend(people: People, number: int = 1, reason: str = "Summary") -> str:
    program = people.bearer(people.alice)
    last = ""
    for n in range(number):
        body = {"amount": 1, "reason": f"{reason} {n}", "idempotencyKey": f"{reason}{n}"}
        last = program.post("/api/credits/spend", json=body).json["entryId"]
    return last


def _plain(page: str) -> str:
    return page.replace("\N{NO-BREAK SPACE}", " ")


def test_the_balance_stands_with_its_money_and_the_order_of_use(people: People, browser: Open, wallet_of: Wallet):
    wallet = wallet_of(people.alice.workspace_id)
    with people.app.app_context():
        for category, days in ((Category.PAID, None), (Category.INCLUDED, 20)):
            ledger.grant(
                wallet_id=wallet,
                amount_micros=500_000_000,
                category=category,
                house=House.SALES_STRIPE,
                key=category,
                expires_at=now() + timedelta(days=days) if days else None,
            )
        db.session.commit()

    page = _plain(browser(people.alice).get(PAGE).text)

    assert "<strong" in page
    assert "2,000" in page
    assert "$20.00" in page
    assert "Used in this order: expiring first, gifts before paid." in page
    order = page.partition('class="grants"')[2]
    assert order.index("included in your plan") < order.index("gift") < order.index("paid")
    assert "Next to expire: 500 credits on" in page


def test_the_runway_follows_the_pace_of_the_last_days(people: People, browser: Open):
    assert "Nothing used in the last 14 days" in browser(people.alice).get(PAGE).text
    _spend(people, 10)

    page = _plain(browser(people.alice).get(PAGE).text)

    assert "About 99 days at your pace (10 credits a day)" in page
    assert "10 credits used in the last 14 days, 10 of them today" in page


def test_billing_leads_to_credits_for_good(people: People, browser: Open):
    answer = browser(people.alice).get("/billing?payment=success")

    assert (answer.status_code, answer.headers["Location"]) == (308, "/credits?payment=success")


def test_an_empty_wallet_says_what_will_stand_here(people: People, browser: Open):
    page = browser(people.alice).get(f"{PAGE}?workspace_id={people.team_id}").text

    assert "No movements yet" in page
    assert "Your first grant appears here." in page
    assert CSV not in page


def test_the_ledger_is_a_fragment_filtered_and_followed_by_links(people: People, browser: Open):
    _spend(people, 30)
    alice = browser(people.alice)

    first = alice.fragment(f"{PAGE}?kind=spend", "ledger")
    older = alice.get(f"{PAGE}?kind=spend&cursor=7")

    assert first.text.lstrip().startswith('<section id="ledger"')
    assert "Summary 29" in first.text
    assert "Summary 4" not in first.text
    assert 'href="/credits?kind=spend&amp;cursor=7"' in first.text
    assert "Summary 4" in older.text
    assert "Welcome credits" not in older.text
    assert "Newest" in older.text


@pytest.mark.parametrize("query", ["kind=gold", "cursor=x", "cursor=-1", "kind=spend&cursor=1"])
def test_an_address_that_makes_no_sense_still_shows_the_page(people: People, browser: Open, query: str):
    assert browser(people.alice).get(f"{PAGE}?{query}").status_code == 200


def test_the_links_of_a_page_stay_with_the_workspace_its_address_names(people: People, browser: Open):
    page = browser(people.alice).get(f"{PAGE}?workspace_id={people.alice.workspace_id}").text

    assert f'href="/credits?workspace_id={people.alice.workspace_id}&amp;kind=grant"' in page
    assert f'href="{CSV}?workspace_id={people.alice.workspace_id}"' in page


def test_the_csv_is_the_same_ledger_and_starts_no_formula(people: People, browser: Open):
    _spend(people, 1, "=HYPERLINK(1)")
    alice = browser(people.alice)

    answer = alice.get(CSV)
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tokenboard-credits.csv"'
    assert [(row["Kind"], row["Credits"], row["Balance after"]) for row in rows] == [
        ("spend", "-1.000000", "999.000000"),
        ("grant", "1000.000000", "1000.000000"),
    ]
    assert rows[0]["Description"] == "'=HYPERLINK(1) 0"
    assert len(list(csv.reader(io.StringIO(alice.get(f"{CSV}?kind=grant").text)))) == 2


def test_the_csv_goes_past_one_page_of_the_ledger(people: People, browser: Open):
    _spend(people, 205)

    assert len(browser(people.alice).get(CSV).text.splitlines()) == 1 + 205 + 1


def test_a_receipt_names_the_grant_that_paid(people: People, browser: Open):
    entry = _spend(people)

    page = browser(people.alice).get(f"/credits/transactions/{entry}").text

    assert "Summary 0" in page
    assert "Gift" in page
    assert "−1" in page
    assert "$0.01" in page


def test_a_receipt_of_a_settled_hold_shows_what_was_reserved_and_returned(
    people: People, browser: Open, wallet_of: Wallet
):
    with people.app.app_context():
        placed = ledger.hold(
            wallet_id=wallet_of(people.alice.workspace_id),
            amount_micros=5_000_000,
            key="h",
            expires_at=now() + timedelta(minutes=5),
        )
        taken = ledger.capture(hold_id=placed.hold_id, amount_micros=2_000_000)
        db.session.commit()

    page = browser(people.alice).get(f"/credits/transactions/{taken.transaction_id}").text

    assert "Reserved, then settled" in page
    assert [
        page.partition(f"<dt>{word}</dt>")[2][:30].count(number)
        for word, number in (("Reserved", ">5<"), ("Taken", ">2<"), ("Returned", ">3<"))
    ] == [1, 1, 1]


def test_a_receipt_is_for_who_belongs_to_its_workspace(
    people: People, browser: Open, give: Callable[..., TestResponse]
):
    entry = give(workspaceId=people.team_id, amount=5).json["entryId"]
    path = f"/credits/transactions/{entry}"

    assert browser(people.vera).get(path).status_code == 200
    assert browser(people.charlie).get(path).status_code == 404
    assert browser(people.ada).get(path).status_code == 404
    assert browser(people.alice).get(path.replace(entry[:8], "00000000")).status_code == 404
    assert browser(None).get(path).status_code == 303


def test_every_page_of_a_team_is_closed_to_strangers(people: People, browser: Open):
    charlie = browser(people.charlie)

    for path in (PAGE, CSV):
        assert charlie.get(f"{path}?workspace_id={people.team_id}").status_code == 404
        assert browser(None).get(path).headers["Location"].startswith("/login")


def test_asking_for_credits_reaches_the_administrators_until_they_give_some(people: People, browser: Open):
    team = {"workspace_id": people.team_id}
    ada = browser(people.ada)
    assert browser(people.bob).post("/credits/ask", team).status_code == 303
    assert browser(people.vera).post("/credits/ask", team).status_code == 403
    assert browser(people.charlie).post("/credits/ask", team).status_code == 404
    asked = ada.get("/admin/adjust").text
    assert "The workspace Acme asks for credits." in asked
    assert f"/admin/adjust?who={people.team_id}" in asked

    form = {"workspace_id": people.team_id, "kind": "gift", "amount": "50", "reason": "asked", "who": people.team_id}
    ada.post("/admin/adjust", form | {"form_key": people.team_id})

    assert "asks for credits" not in ada.get("/admin/adjust").text


@pytest.mark.parametrize("size", [1, 30])
def test_the_page_asks_the_database_a_fixed_number_of_questions(
    people: People, browser: Open, count_queries: Callable[[], Counted], size: int
):
    _spend(people, size)
    alice = browser(people.alice)
    alice.get(PAGE)

    with people.app.app_context(), count_queries() as counted:  # type: ignore[attr-defined]
        alice.get(PAGE)

    # Who asks, which workspaces; the line, wallet, grants, use, statement; plan, catalogue, orders, customer; the pill.
    assert counted.number == 12
