"""/admin/reconcile: a look is a row, found is kept, healing mends what was shown, whoever is killed on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask

from tests.billing.market import PACK, Market
from tests.billing.shop import Shop
from tests.costs.counting import Counted
from tests.ledger.crowds import at_once
from tests.people import Browser, People, Someone
from tokenboard.audit.alerts import open_alerts
from tokenboard.billing import reconcile_queries, reconcile_runs
from tokenboard.billing.reconcile_models import ReconcileFinding, ReconcileRun
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.jobs import run_task
from tokenboard.ops.tasks import tidy

PAGE = "/admin/reconcile"
Open = Callable[[Someone | None], Browser]


def ada(market: Market) -> Browser:
    return market.people.browser(market.people.ada)


def lost_purchase(market: Market) -> str:
    """Paid at Stripe; every webhook about it is lost."""
    market.control("webhooks", provider="stripe", lose=99)
    bought = market.post("/api/billing/checkout", packageId=PACK, idempotencyKey=new_id())
    reference = str(bought["reference"])
    market.control("stripe/sessions", id=str(market.payment(reference).object_id))
    return reference


def carry_out(app: Flask) -> None:
    with app.app_context():
        run_task("billing.reconcile.sweep")


def runs(app: Flask) -> list[ReconcileRun]:
    with app.app_context():
        return list(db.session.scalars(db.select(ReconcileRun).order_by(ReconcileRun.asked_at)))


def shown_run(page: str) -> str:
    return re.search(r'name="run_id" value="([^"]+)"', page)[1]


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_it_is_for_administrators_only(sqlite_people: People, who: str):
    browser = sqlite_people.browser(getattr(sqlite_people, who))

    assert browser.get(PAGE).status_code == 404
    assert browser.post(f"{PAGE}/look", {"days": "3"}).status_code == 404
    assert browser.post(f"{PAGE}/heal", {"run_id": new_id()}).status_code == 404
    assert sqlite_people.browser(None).get(PAGE).headers["Location"].startswith("/login")
    assert runs(sqlite_people.app) == []


def test_before_the_first_look_the_page_says_so(people: People, browser: Open):
    assert "Not compared yet" in browser(people.ada).get(PAGE).text


def test_a_look_changes_nothing_and_healing_mends_what_it_showed(market: Market):
    reference, browser = lost_purchase(market), ada(market)

    assert [browser.post(f"{PAGE}/look", {"days": "3"}).status_code for _ in range(2)] == [303, 303]
    assert "every 2s" in browser.get(PAGE).text
    carry_out(market.app)

    shown = browser.get(PAGE).text
    assert market.credits == 0
    assert "paid, and not credited" in shown
    assert str(market.payment(reference).object_id) in shown
    count = re.search(r">Heal (\d+)<", shown)[1]
    assert int(count) >= 1

    run_id = shown_run(shown)
    assert [browser.post(f"{PAGE}/heal", {"run_id": run_id}).status_code for _ in range(2)] == [303, 303]
    carry_out(market.app)
    carry_out(market.app)

    assert market.credits == 100
    assert "all mended" in browser.get(PAGE).text
    assert len(runs(market.app)) == 2


def test_healing_leaves_alone_what_was_not_shown(market: Market):
    lost_purchase(market)
    browser = ada(market)
    browser.post(f"{PAGE}/look", {"days": "3"})
    carry_out(market.app)
    shown = browser.get(PAGE).text
    lost_purchase(market)

    browser.post(f"{PAGE}/heal", {"run_id": shown_run(shown)})
    carry_out(market.app)

    assert market.credits == 100
    with market.app.app_context():
        assert reconcile_queries.open_differences() >= 1
    assert "Differences" in browser.get("/admin").text


def test_the_queue_carries_a_look_out(shop: Shop, run_jobs: Callable[[], int]):
    browser = shop.people.browser(shop.people.ada)
    browser.post(f"{PAGE}/look", {"days": "7"})

    run_jobs()

    # The stand-ins know no lists: a provider that cannot be asked is a finding, and no crash.
    shown = browser.get(PAGE).text
    assert "It could not be asked" in shown
    assert "look yourself" in shown
    assert ">Heal" not in shown


@pytest.mark.parametrize("form", [{}, {"days": "5"}, {"days": "x"}], ids=str)
def test_days_that_no_page_offered_are_refused(people: People, browser: Open, form: dict[str, str]):
    assert browser(people.ada).post(f"{PAGE}/look", form).status_code == 422
    assert runs(people.app) == []


@pytest.mark.parametrize(("run_id", "status"), [("", 422), ("x", 422), ("00000000-0000-4000-8000-000000000000", 409)])
def test_a_report_that_is_gone_is_not_healed(people: People, browser: Open, run_id: str, status: int):
    assert browser(people.ada).post(f"{PAGE}/heal", {"run_id": run_id}).status_code == status
    assert runs(people.app) == []


def test_many_who_ask_at_once_make_one_look(people: People):
    def ask() -> bool:
        return reconcile_runs.ask(actor="ada", days=3, is_healing=False)[1]

    assert sorted(at_once(people.app, [ask] * 6)) == [False] * 5 + [True]
    assert len(runs(people.app)) == 1


def test_a_look_whose_worker_was_killed_is_begun_anew_and_one_under_way_is_left_alone(market: Market):
    lost_purchase(market)
    with market.app.app_context():
        run, _ = reconcile_runs.ask(actor="ada", days=3, is_healing=True)
        run.state, run.lease_ends_at = "running", now() + timedelta(minutes=5)
        db.session.commit()
        run_id = run.id
    carry_out(market.app)
    assert [one.state for one in runs(market.app)] == ["running"]
    assert market.credits == 0

    with market.app.app_context():
        db.session.get_one(ReconcileRun, run_id).lease_ends_at = now() - timedelta(seconds=1)
        db.session.add(ReconcileFinding(run_id=run_id, position=1, provider="stripe", what="half", can_heal=True))
        db.session.commit()
    carry_out(market.app)

    assert [one.state for one in runs(market.app)] == ["done"]
    assert market.credits == 100
    with market.app.app_context():
        assert {one.healed_at is not None for one in reconcile_runs.findings_of(run_id)} == {True}


def test_the_periodic_look_mends_tells_and_is_calm_again(market: Market):
    lost_purchase(market)
    assert "of them mended" in _alert_after_the_periodic_look(market)
    assert _alert_after_the_periodic_look(market) == ""

    assert market.credits == 100
    shown = ada(market).get(PAGE).text
    assert "The books agree" in shown
    assert "the schedule" in shown


def _alert_after_the_periodic_look(market: Market) -> str:
    with market.app.app_context():
        run_task("billing.reconcile")
        return next((one.message for one in open_alerts() if one.kind == reconcile_runs.KIND), "")


def test_the_command_reports_what_it_compared_and_leaves_an_open_look_alone(market: Market):
    lost_purchase(market)
    run = market.app.test_cli_runner().invoke

    told = run(args=["billing", "reconcile", "--heal"])
    assert re.search(r"Compared: \d+ paid checkouts, \d+ paid invoices, ", told.output)
    assert "(mended)" in told.output
    assert "the command line" in ada(market).get(PAGE).text

    ada(market).post(f"{PAGE}/look", {"days": "3"})
    assert run(args=["billing", "reconcile"]).exit_code == 1


def test_old_reports_are_put_away(people: People):
    with people.app.app_context():
        for days in (29, 31):
            ended = now() - timedelta(days=days)
            facts = {"actor": "cli", "days": 3, "is_healing": False, "state": "done", "open_key": None}
            run = ReconcileRun(**facts, asked_at=ended, ended_at=ended)
            db.session.add(run)
            db.session.flush()
            db.session.add(ReconcileFinding(run_id=run.id, position=1, provider="stripe", what="x", can_heal=False))
        db.session.commit()

        tidy()

        assert len(runs(people.app)) == 1
        assert db.session.scalar(db.select(db.func.count(ReconcileFinding.id))) == 1


@pytest.mark.parametrize("size", [1, 25])
def test_the_page_asks_the_database_a_fixed_number_of_questions(
    people: People, browser: Open, count_queries: Callable[[], AbstractContextManager[Counted]], size: int
):
    with people.app.app_context():
        for _ in range(size):
            facts = {"actor": people.ada.id, "days": 3, "is_healing": False, "state": "done", "open_key": None}
            db.session.add(ReconcileRun(**facts, ended_at=now()))
        db.session.commit()
    ada = browser(people.ada)
    ada.get(PAGE)

    with people.app.app_context(), count_queries() as counted:
        piece = ada.fragment(PAGE, "reconcile").text

    assert piece.lstrip().startswith('<div id="reconcile"')
    # Who asks; the looks, who asked for them, the findings of the latest.
    assert counted.number == 4
