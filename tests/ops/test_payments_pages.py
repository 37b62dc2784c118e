"""/admin and /admin/payments: what waits for a person, the list with its filter and totals, one payment's story."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from tests.billing.events import NOON, charge, dispute, event, refund, session
from tests.billing.shop import Shop
from tests.costs.counting import Counted
from tests.people import Browser, People, Someone
from tokenboard.billing.models import Payment, Refund
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token
from tokenboard.core.db import db

PAGE, CSV = "/admin/payments", "/admin/payments/list.csv"
PAID = "checkout.session.completed"
Open = Callable[[Someone | None], Browser]


def add(people: People, **facts: Any) -> str:
    """A payment of Bob's for the team, straight into the table."""
    usual = {
        "workspace_id": people.team_id,
        "person_id": people.bob.id,
        "provider": "paystack",
        "kind": "custom",
        "state": "credited",
        "intent_key": new_token(),
        "amount_minor": 129_050,
        "charged_minor": 129_050,
        "currency": "kes",
        "credits_micros": 1_000_000_000,
        "paid_at": now(),
        "credited_at": now(),
    }
    with people.app.app_context():
        row = Payment(**usual | facts)
        db.session.add(row)
        db.session.commit()
        return row.id


@pytest.mark.parametrize("path", ["/admin", PAGE, CSV, f"{PAGE}/00000000-0000-4000-8000-000000000000"])
def test_the_pages_are_for_administrators_only(sqlite_people: People, path: str):
    people = sqlite_people

    assert people.browser(None).get(path).headers["Location"].startswith("/login")
    assert [people.browser(one).get(path).status_code for one in (people.bob, people.charlie)] == [404, 404]


def test_every_payment_is_listed_with_whose_it_is_and_in_its_own_decimals(shop: Shop):
    shop.order("price_yen", "cs_yen")
    paid = session("cs_yen", amount_subtotal=1_500, amount_total=1_500, currency="jpy", payment_intent="pi_yen")
    shop.tell(event(PAID, paid))
    add(shop.people)

    shown = shop.people.browser(shop.people.ada).get(PAGE).text

    assert "¥1,500" in shown
    assert "KES\N{NO-BREAK SPACE}1,290.50" in shown
    assert all(words in shown for words in ("alice@example.com", "bob@example.com", "Acme", "Paystack", "credited"))


def test_an_empty_list_says_what_will_come(people: People, browser: Open):
    assert "No payments yet" in browser(people.ada).get(PAGE).text


def test_the_list_comes_as_a_piece(people: People, browser: Open):
    piece = browser(people.ada).fragment(PAGE, "payments").text

    assert piece.lstrip().startswith('<div id="payments"')
    assert "<html" not in piece


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=ALICE@example.com", 3),  # the team is hers too
        ("q=dave@example.com", 0),
        ("q=bob@", 2),
        ("q=acme", 2),
        ("q=%25", 0),
        ("q=cs_pack", 1),
        ("q=pi_pack", 1),
        ("provider=paystack", 2),
        ("state=credited", 2),
        ("state=failed&provider=paystack", 1),
        ("kind=pack", 1),
        ("kind=made-up", 3),
        ("q=nobody@example.com", 0),
        ("q=" + "x" * 5_000, 3),
        ("cursor=nonsense", 3),
    ],
)
def test_the_filter_is_the_address(shop: Shop, query: str, count: int):
    shop.order()
    shop.tell(event(PAID, session()))
    add(shop.people)
    add(shop.people, state="failed", paid_at=None, credited_at=None)

    shown = shop.people.browser(shop.people.ada).get(f"{PAGE}?{query}").text

    assert shown.count("<tr>\n        <td") == count


def test_a_workspace_and_a_payment_are_found_by_their_ids(people: People, browser: Open):
    mine, other = add(people), add(people, workspace_id=people.alice.workspace_id, person_id=None)
    ada = browser(people.ada)

    assert mine in ada.get(f"{PAGE}?q={people.team_id}").text
    assert other not in ada.get(f"{PAGE}?q={people.team_id}").text
    assert other in ada.get(f"{PAGE}?q={other}").text


def test_older_ones_follow_by_keyset_and_none_is_lost_or_shown_twice(people: People, browser: Open):
    made = [add(people, created_at=now() - timedelta(minutes=n // 2)) for n in range(70)]
    ada, path, seen = browser(people.ada), PAGE, []
    for _ in range(3):
        shown = ada.get(path).text
        seen += [one for one in made if f"{PAGE}/{one}" in shown]
        older = re.search(r'href="([^"]*cursor=[^"]*)"', shown)
        path = older[1] if older else ""

    assert len(seen) == len(set(seen)) == 70
    assert path == ""


def test_totals_are_of_the_filter_and_of_each_currency(shop: Shop):
    shop.order()
    shop.tell(event(PAID, session()), event("refund.created", refund("re_1", "succeeded"), created=NOON + 9))
    add(shop.people)
    add(shop.people)
    add(shop.people, state="failed", paid_at=None, charged_minor=None)
    ada = shop.people.browser(shop.people.ada)

    everything, failed = ada.get(PAGE).text, ada.get(f"{PAGE}?state=failed").text

    assert "$9.99</b>" in everything
    assert "paid in 1\N{NO-BREAK SPACE}payment in USD, $3.00 back" in everything
    assert "KES\N{NO-BREAK SPACE}2,581.00</b>" in everything
    assert "KES\N{NO-BREAK SPACE}0.00</b>" in failed


def test_the_csv_holds_what_the_filter_leaves_and_no_formula(people: People, browser: Open):
    add(people, title="=HYPERLINK(1)")
    add(people, currency="jpy", amount_minor=1_500, charged_minor=1_500)

    answer = browser(people.ada).get(f"{CSV}?kind=custom")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.mimetype == "text/csv"
    assert {row["Charged"] for row in rows} == {"1290.50", "1500"}
    assert "'=HYPERLINK(1)" in {row["What"] for row in rows}
    assert list(csv.DictReader(io.StringIO(browser(people.ada).get(f"{CSV}?state=failed").text))) == []


@pytest.mark.parametrize("size", [1, 40])
def test_the_list_asks_the_database_a_fixed_number_of_questions(
    people: People, browser: Open, count_queries: Callable[[], AbstractContextManager[Counted]], size: int
):
    for _ in range(size):
        add(people)
    ada = browser(people.ada)
    ada.get(PAGE)

    with people.app.app_context(), count_queries() as counted:
        ada.get(PAGE)

    # Who asks, which workspaces, the pill; the list and its totals.
    assert counted.number == 5


def test_what_waits_for_a_person_is_counted_and_led_to(shop: Shop):
    shop.order()
    shop.tell(event(PAID, session()), event("charge.dispute.created", dispute("needs_response")))
    stuck = add(shop.people, state="paid", credited_at=None, paid_at=now() - timedelta(minutes=11))
    add(shop.people, state="paid", credited_at=None, paid_at=now() - timedelta(minutes=9))
    lost = add(shop.people, state="started", paid_at=None, next_check_at=None)
    add(shop.people, state="started", paid_at=None, next_check_at=now())
    failed = add(shop.people)
    with shop.app.app_context():
        facts = {"provider": "paystack", "amount_minor": 5, "currency": "kes", "told_at": now()}
        db.session.add(Refund(payment_id=failed, state="failed", provider_id="1", **facts))
        db.session.commit()
    ada = shop.people.browser(shop.people.ada)

    overview = ada.get("/admin").text
    stuck_ones = ada.get(f"{PAGE}?trouble=stuck").text

    counts = [overview.partition(f'trouble={one}">')[2].partition("<")[0] for one in ("stuck", "dispute", "refund")]
    assert counts == ["2", "1", "1"]
    assert all(f"{PAGE}/{one}" in stuck_ones for one in (stuck, lost))
    assert stuck_ones.count("<tr>\n        <td") == 2
    assert failed in ada.get(f"{PAGE}?trouble=refund").text
    assert "1\N{NO-BREAK SPACE}payment, $9.99 of it back" in overview


def test_a_failed_refund_is_no_trouble_once_another_was_made(people: People, browser: Open):
    payment = add(people)
    with people.app.app_context():
        facts = {"payment_id": payment, "provider": "paystack", "amount_minor": 5, "currency": "kes", "told_at": now()}
        db.session.add(Refund(state="failed", provider_id="1", created_at=now() - timedelta(hours=1), **facts))
        db.session.add(Refund(state="succeeded", provider_id="2", **facts))
        db.session.commit()

    assert payment not in browser(people.ada).get(f"{PAGE}?trouble=refund").text


def test_the_overview_asks_a_fixed_number_of_questions_and_is_calm_when_nothing_waits(
    people: People, browser: Open, count_queries: Callable[[], AbstractContextManager[Counted]]
):
    ada = browser(people.ada)
    ada.post("/admin/books/check")
    ada.get("/admin")

    with people.app.app_context(), count_queries() as counted:
        shown = ada.get("/admin").text

    assert "Nothing waits for you" in shown
    # Who asks, which workspaces, the pill; alerts, counts, proposals, differences, sales, lamps; syncs (2), rows.
    assert counted.number == 12


def test_a_payment_tells_its_whole_story(shop: Shop):
    order = shop.order()
    tax = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 70}
    shop.tell(
        event(PAID, session(amount_total=1_069, total_details=tax)),
        event("charge.refunded", charge(300, amount=1_069), created=NOON + 100),
        event("refund.created", refund("re_1", "succeeded"), created=NOON + 100),
        event("charge.dispute.created", dispute("needs_response", 769), created=NOON + 200),
        event("charge.dispute.closed", dispute("won", 769), created=NOON + 300),
    )

    shown = shop.people.browser(shop.people.ada).get(f"{PAGE}/{order}").text

    told = (
        *(
            "Ordered for $9.99",
            "Paid $10.69",
            "100 credits given",
            "Refund of $3.00: succeeded",
            "29 credits taken back",
        ),
        *("Dispute of $7.69: won", "71 credits taken back", "71 credits given back", "fraudulent"),
        *("$0.70 of it tax", "cs_pack", "pi_pack", "stripe:cs_pack", "At most $7.69 is left"),
        *("checkout.session.completed", "charge.dispute.closed"),
    )
    assert [words for words in told if words not in shown] == []
    assert shown.count('<tr id="t-') == 4


def test_the_frozen_rate_and_multiplier_are_shown(people: People, browser: Open):
    payment = add(people, exchange_rate="129.05", amount_usd_cents=1_000, multiplier="2")

    shown = browser(people.ada).get(f"{PAGE}/{payment}").text

    assert "1 USD = 129.05 KES" in shown
    assert "$10.00" in shown
    assert "× 2" in shown


def test_a_payment_asks_a_bounded_number_of_questions(
    shop: Shop, count_queries: Callable[[], AbstractContextManager[Counted]]
):
    order = shop.order()
    shop.tell(event(PAID, session()))
    for number in range(5):
        one = refund(f"re_{number}", "succeeded", 10)
        shop.tell(event("refund.created", one, created=NOON + 9 + number))
    ada = shop.people.browser(shop.people.ada)
    ada.get(f"{PAGE}/{order}")

    with shop.app.app_context(), count_queries() as counted:
        ada.get(f"{PAGE}/{order}")

    # Who asks, which workspaces, the pill; the payment, six kinds of rows of it, the ledger; the lot and the wallet.
    assert counted.number <= 13


def test_nobodys_payment_is_not_found(people: People, browser: Open):
    ada = browser(people.ada)

    assert ada.get(f"{PAGE}/{people.team_id}").status_code == 404
    assert ada.post(f"{PAGE}/{people.team_id}/check").status_code == 404
    assert ada.get(f"{PAGE}/nonsense").status_code == 404
