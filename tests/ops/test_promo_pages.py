"""/admin/promo-codes and its calls: a batch is made once, its codes are shown once, it is watched and ended."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests.billing.shop import Shop
from tests.costs.counting import Counted
from tests.people import Browser, People, Someone
from tokenboard.accounts.models import Person
from tokenboard.billing import promo_service, tasks
from tokenboard.billing.promo_models import PromoBatch, PromoCode
from tokenboard.billing.promo_rules import BatchWish
from tokenboard.core.clock import now
from tokenboard.core.crypto import parse_key_ring
from tokenboard.core.db import db, new_id
from tokenboard.core.settings import settings

PAGE, API = "/admin/promo-codes", "/api/admin/promo-codes"
CODE = re.compile(r"(?:[A-Z2-9]{4}-){3}[A-Z2-9]{4}")
Open = Callable[[Someone | None], Browser]


def form(**more: str) -> dict[str, str]:
    usual = {"name": "Spring fair", "count": "3", "gives": "credits", "credits": "50", "uses_each": "1"}
    return usual | {"form_key": new_id(), "expires_on": "", "live_days": ""} | more


def make(browser: Browser, **more: str) -> str:
    """The address of a fresh batch's page."""
    answer = browser.post(PAGE, form(**more))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def batches(people: People) -> list[PromoBatch]:
    with people.app.app_context():
        return list(db.session.scalars(db.select(PromoBatch)))


def sealed(people: People) -> list[str]:
    with people.app.app_context():
        return list(db.session.scalars(db.select(PromoBatch.sealed_codes)))


def redeem(people: People, who: Someone, code: str) -> int:
    return people.bearer(who).post("/api/credits/redeem", json={"code": code}).status_code


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/00000000-0000-4000-8000-000000000000"])
def test_promo_codes_are_for_administrators_only(sqlite_people: People, path: str):
    people = sqlite_people

    assert people.browser(None).get(path).headers["Location"].startswith("/login")
    assert [people.browser(one).get(path).status_code for one in (people.bob, people.charlie)] == [404, 404]
    assert people.browser(people.charlie).post(PAGE, form()).status_code == 404
    assert people.bearer(people.charlie).post(API, {"name": "x y", "credits": 1}).status_code == 404
    assert batches(people) == []


def test_a_batch_shows_its_codes_and_they_work(people: People, browser: Open):
    ada = browser(people.ada)

    shown = ada.get(make(ada)).text

    codes = CODE.findall(shown)
    assert len(codes) == len(set(codes)) == 3
    assert "Gives 50 credits" in shown
    assert redeem(people, people.bob, codes[0]) == 200
    page, one = ada.get(PAGE).text, ada.get(f"{PAGE}/{batches(people)[0].id}").text
    assert "Spring fair" in page
    assert "bob@example.com" in one
    assert f"…{codes[0][-4:]}" in one


def test_a_form_sent_twice_makes_one_batch(people: People, browser: Open):
    ada, same = browser(people.ada), form()

    answers = [ada.post(PAGE, same) for _ in range(3)]

    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(batches(people)) == 1
    assert ada.post(PAGE, same | {"count": "4"}).status_code == 409
    with people.app.app_context():
        assert db.session.scalar(db.select(db.func.count(PromoCode.id))) == 3


def test_codes_are_gone_once_they_are_stored(people: People, browser: Open):
    ada = browser(people.ada)
    path = make(ada)
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{path}/codes.csv").text)))
    assert sorted(row["Code"] for row in rows) == sorted(CODE.findall(ada.get(path).text))

    assert [ada.post(f"{path}/stored").status_code for _ in range(2)] == [303, 303]

    assert CODE.findall(ada.get(path).text) == []
    assert ada.get(f"{path}/codes.csv").status_code == 404
    assert sealed(people) == [""]


def test_codes_are_shown_to_their_maker_only_and_for_an_hour(people: People, browser: Open):
    path = make(browser(people.ada))
    with people.app.app_context():
        db.session.get_one(Person, people.dave.id).is_admin = True
        db.session.commit()

    assert CODE.findall(browser(people.dave).get(path).text) == []
    assert browser(people.dave).get(f"{path}/codes.csv").status_code == 404
    assert browser(people.dave).post(f"{path}/stored").status_code == 303
    assert len(CODE.findall(browser(people.ada).get(path).text)) == 3
    with time_machine.travel(now() + timedelta(minutes=61), tick=False):
        assert CODE.findall(browser(people.ada).get(path).text) == []
        with people.app.app_context():
            tasks.sweep()
    assert sealed(people) == [""]


def test_nobody_reads_codes_out_of_the_database(people: People, browser: Open):
    ada = browser(people.ada)
    codes = CODE.findall(ada.get(make(ada)).text)

    with people.app.app_context():
        kept = list(db.session.scalars(db.select(PromoBatch.sealed_codes)))
        kept += db.session.scalars(db.select(PromoCode.code_hash))

    assert not any(code in text for code in codes for text in kept)


def test_shown_codes_outlive_an_exchange_of_keys(sqlite_people: People):
    people = sqlite_people
    with people.app.app_context():
        batch, codes = promo_service.make_batch(
            wish=BatchWish("x y", 2, credits_micros=1), actor="ada", batch_id=new_id()
        )
        db.session.commit()
        old = settings().encryption_keys
        ring = parse_key_ring("k9:" + "A" * 43 + "=")
        both = type(ring)(ring.keys | old.keys)

        assert promo_service.reseal(both) == 1
        assert promo_service.reseal(both) == 0
        assert ring.unseal(batch.sealed_codes, context=f"promo:{batch.id}").split("\n") == codes


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("name", {"name": "x"}),
        ("name", {"name": "x" * 81}),
        ("count", {"count": "0"}),
        ("count", {"count": "1001"}),
        ("count", {"count": "1.5"}),
        ("uses_each", {"uses_each": "٣"}),
        ("credits", {"credits": "-1"}),
        ("credits", {"credits": ""}),
        ("credits", {"credits": "1e9"}),
        ("live_days", {"live_days": "x"}),
        ("expires_on", {"expires_on": "2020-01-01"}),
        ("gives", {"gives": "everything"}),
        ("plan", {"gives": "plan", "plan": ""}),
        ("form_key", {"form_key": "x"}),
    ],
)
def test_what_cannot_be_read_is_refused_and_kept_in_the_form(
    people: People, browser: Open, field: str, more: dict[str, str]
):
    refused = browser(people.ada).post(PAGE, form(**more))

    assert refused.status_code == 422
    assert "field-error" in refused.text or "Please check the form" in refused.text or field == "plan"
    assert 'value="Spring fair"' in refused.text or field == "name"
    assert batches(people) == []


def test_a_batch_may_give_a_period_of_a_plan_that_is_sold(shop: Shop):
    ada = shop.people.browser(shop.people.ada)
    offered = re.search(r'<option value="([^"]+)"[^>]*>[^<]*costs \$19\.99 a month', ada.get(PAGE).text)[1]

    shown = ada.get(make(ada, gives="plan", plan=offered, credits="")).text
    refused = ada.post(PAGE, form(gives="plan", plan="price_pack", credits=""))

    assert "Gives one period of 2000 credits" in shown
    assert refused.status_code == 404 or refused.status_code == 422
    assert redeem(shop.people, shop.people.alice, CODE.findall(shown)[0]) == 200
    assert shop.credits == 2_000


def test_the_expiry_and_how_long_credits_live_are_kept(people: People, browser: Open):
    make(browser(people.ada), expires_on="2199-01-31", live_days="90", uses_each="5")

    batch = batches(people)[0]
    assert (str(batch.expires_at.date()), batch.credits_live_days, batch.uses_each) == ("2199-02-01", 90, 5)


def test_an_ended_batch_is_worth_nothing_and_what_was_redeemed_stays(people: People, browser: Open):
    ada = browser(people.ada)
    path = make(ada)
    codes = CODE.findall(ada.get(path).text)
    redeem(people, people.bob, codes[0])
    assert "2\N{NO-BREAK SPACE}uses will be worth nothing" in ada.get(path).text

    assert [ada.post(f"{path}/end").status_code for _ in range(2)] == [303, 303]

    assert redeem(people, people.alice, codes[1]) == 409
    shown = ada.get(path).text
    assert "ended" in shown
    assert CODE.findall(shown) == []
    assert ada.post(f"{PAGE}/{new_id()}/end").status_code == 404


@pytest.mark.parametrize("size", [1, 40])
def test_the_list_asks_the_database_a_fixed_number_of_questions(
    people: People, browser: Open, count_queries: Callable[[], AbstractContextManager[Counted]], size: int
):
    with people.app.app_context():
        for _ in range(size):
            promo_service.make_batch(wish=BatchWish("many", 2, credits_micros=1), actor=people.ada.id)
        db.session.commit()
    ada = browser(people.ada)
    ada.get(PAGE)

    with people.app.app_context(), count_queries() as counted:
        shown = ada.get(PAGE).text

    # Who asks, which workspaces, the pill; the batches, their makers, the plans.
    assert counted.number == 6
    assert ("Older" in shown) is (size > 30)


def test_the_list_comes_as_a_piece(people: People, browser: Open):
    piece = browser(people.ada).fragment(PAGE, "batches").text

    assert piece.lstrip().startswith('<section id="batches"')
    assert "No batches yet" in piece


def test_programs_make_look_at_and_end_batches(shop: Shop):
    ada = shop.people.bearer(shop.people.ada)
    body = {"name": "By program", "count": 2, "credits": 12.5, "usesEach": 2, "idempotencyKey": "fair-1"}

    first, again = ada.post(API, body), ada.post(API, body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["codes"] == again.json["codes"]
    assert ada.post(API, body | {"count": 3}).status_code == 409
    assert redeem(shop.people, shop.people.bob, first.json["codes"][0]) == 200
    batch = ada.get(API).json["batches"][0]
    told = [batch[name] for name in ("credits", "codes", "redeemed", "left", "status")]
    assert told == [12.5, 2, 1, 3, "open"]

    ended = ada.post(f"{API}/{batch['id']}/end")
    assert (ended.status_code, ended.json["batch"]["status"]) == (200, "ended")
    assert ada.post(f"{API}/{new_id()}/end").status_code == 404


WRONG = ({"credits": None}, {"plan": "price_month"}, {"count": 0}, {"name": "\u202e!"}, {"idempotencyKey": None})


@pytest.mark.parametrize("wrong", WRONG, ids=range(5))
def test_a_call_that_cannot_be_read_is_refused(people: People, wrong: dict[str, Any]):
    whole = {"name": "By program", "credits": 5, "idempotencyKey": "k"} | wrong
    body = {key: value for key, value in whole.items() if value is not None}

    assert people.bearer(people.ada).post(API, body).status_code == 422
    assert batches(people) == []
