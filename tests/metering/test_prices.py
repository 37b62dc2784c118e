"""Prices come from an administrator, the upstream or the list; nothing is guessed, nothing is free by accident."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from tests.metering.calling import Told, begin, order, price, record, settle
from tests.people import People
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.metering import price_queries, price_rules, price_service, service
from tokenboard.metering.errors import ModelNotOffered
from tokenboard.metering.models import ModelPrice
from tokenboard.metering.price_service import PriceWanted, Synced
from tokenboard.providers.chat_shapes import ModelInfo
from tokenboard.providers.price_list import listed_price

USD = 10**9
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)


def told(name: str = "gpt-4o", into: float | None = 2.5, out: float | None = 10, **more: Any) -> ModelInfo:
    values: dict[str, Any] = {"mode": "chat", "cached_input_nano_per_mtok": None, "max_input_tokens": 128_000}
    values |= {"input_nano_per_mtok": None if into is None else int(into * USD)}
    values |= {"output_nano_per_mtok": None if out is None else int(out * USD)}
    return ModelInfo(**(values | {"id": name, "max_output_tokens": 16_384, "provider": "openai"} | more))


def sync(*models: ModelInfo, listed: dict[str, ModelInfo] | None = None) -> Synced:
    synced = price_service.sync(told=models, listed=(listed or {}).get)
    db.session.commit()
    return synced


def current(model: str = "gpt-4o") -> ModelPrice:
    return next(row for row in price_queries.current() if row.model == model)


@pytest.fixture(autouse=True)
def _books(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield
        db.session.rollback()


def test_the_upstreams_own_price_comes_first():
    sync(told(), listed={"gpt-4o": told(into=3)})
    row = current()
    assert (row.source, row.input_nano_per_mtok, row.is_offered) == ("litellm", 2_500_000_000, True)
    assert row.problem == "genai-prices says $3.00 in, $10.00 out."


def test_a_model_without_a_price_there_takes_the_lists():
    sync(told(into=None, out=None), listed={"gpt-4o": told()})
    assert (current().source, current().output_nano_per_mtok) == ("genai-prices", 10 * USD)


@pytest.mark.parametrize(("into", "out"), [(0, 0), (0, 10), (2.5, 0), (-1, -1), (None, 10)])
def test_a_price_of_nothing_or_less_is_not_offered_and_not_looked_up(into, out):
    sync(told(into=into, out=out), listed={"gpt-4o": told()})
    assert (current().is_offered, current().input_nano_per_mtok) == (False, None)
    assert current().problem == price_rules.NOT_POSITIVE
    with pytest.raises(ModelNotOffered):
        price_queries.offered("gpt-4o")


def test_a_model_that_no_source_knows_is_kept_and_not_offered_and_an_alert_says_so():
    assert sync(told("mystery", None, None)).without_price == ("mystery",)
    assert [alert.message for alert in open_alerts()] == ["1 models have no price and are not offered: mystery."]
    sync(told("mystery", 1, 1))
    assert open_alerts() == []


def test_the_same_price_again_writes_nothing_and_another_one_is_a_new_version():
    sync(told())
    assert sync(told()).changed == ()
    sync(told(into=5))
    versions = price_queries.versions("gpt-4o")
    assert [(row.version, row.input_nano_per_mtok) for row in versions] == [(2, 5 * USD), (1, 2_500_000_000)]
    assert [row.replaced_at is None for row in versions] == [True, False]


def test_a_rehearsal_says_what_would_change_and_writes_nothing():
    sync(told())
    found = price_service.rehearse(told=[told(into=5), told("new")], listed=lambda _model: None)
    assert [(before.version if before else None, after.model) for before, after in found.changed] == [
        (1, "gpt-4o"),
        (None, "new"),
    ]
    assert [row.version for row in price_queries.versions("gpt-4o")] == [1]


def test_an_administrators_price_wins_and_shows_what_the_upstream_says():
    sync(told())
    price(input_nano_per_mtok=4 * USD, cached_input_nano_per_mtok=None)
    sync(told(into=5))
    row = current()
    assert (row.source, row.input_nano_per_mtok, row.actor) == ("admin", 4 * USD, "test")
    assert row.problem == "litellm says $5.00 in, $10.00 out."
    assert (row.max_output_tokens, row.provider) == (16_384, "openai")  # what is known stays known


def test_an_administrators_price_that_is_given_up_leaves_the_sources_to_decide():
    price(input_nano_per_mtok=4 * USD, cached_input_nano_per_mtok=None)
    price_service.give_up(model="gpt-4o", actor="test")
    db.session.commit()
    with pytest.raises(ModelNotOffered):
        price_queries.offered("gpt-4o")
    sync(told())
    assert (current().source, current().version) == ("litellm", 2)


def test_a_models_own_markup_outlives_its_prices():
    sync(told())
    price_service.set_markup(model="gpt-4o", markup=Decimal("1.25"), actor="test")
    sync(told(into=5))
    assert (current().markup, current().source) == ("1.25", "litellm")
    price_service.set_markup(model="gpt-4o", markup=None, actor="test")
    assert current().markup == ""


def test_what_the_upstream_lists_no_more_is_not_offered_but_an_empty_list_changes_nothing():
    sync(told(), told("other"))
    sync()
    assert current("other").is_offered
    sync(told())
    assert (current("other").is_offered, current("other").problem) == (False, price_rules.GONE)
    sync(told(), told("other"))
    assert current("other").is_offered


def test_what_is_not_metered_is_left_out():
    found = sync(told(mode="image_generation"), told("x" * 121), told("embed", 0.02, 0, mode="embedding"))
    assert [row.model for row in price_queries.current()] == ["embed"]
    assert (found.models, current("embed").is_offered) == (1, True)


def test_a_cached_price_above_the_plain_one_is_a_mistake_and_left_out():
    sync(told(cached_input_nano_per_mtok=9 * USD))
    assert current().cached_input_nano_per_mtok is None


@pytest.mark.parametrize(
    "wanted",
    [
        PriceWanted("m", "admin", 0, 0),
        PriceWanted("m", "admin", None, None),
        PriceWanted("m", "admin", -1, 5),
        PriceWanted("m", "admin", 5, 5, is_free=True),
        PriceWanted("", "admin", 5, 5),
        PriceWanted("m", "admin", 5, 5, markup=Decimal(0)),
        PriceWanted("m", "admin", 5, 5, markup=Decimal("NaN")),
    ],
)
def test_an_administrator_cannot_offer_a_model_without_a_price_by_accident(wanted: PriceWanted):
    with pytest.raises(ValidationFailed):
        price_service.set_price(wanted=wanted, actor="test")


def test_the_database_itself_refuses_an_offer_without_a_price():
    db.session.add(ModelPrice(model="m", version=1, source="litellm", input_nano_per_mtok=0, output_nano_per_mtok=0))
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_a_call_keeps_the_price_it_began_with(shop: People):
    call = begin(shop)
    price(input_nano_per_mtok=100 * USD, output_nano_per_mtok=100 * USD)
    record(call, "Yes.")
    assert settle(call, usage=Told(9, 4)).credits_micros == 6_250
    assert service.estimate(order=order(shop)).low_micros == (3 + 16) * 10_000


@pytest.mark.parametrize(
    ("model", "into", "out", "cached"),
    [("gpt-4o-mini", 0.15, 0.6, 0.075), ("openai/gpt-4o-mini", 0.15, 0.6, 0.075), ("claude-haiku-4-5", 1, 5, 0.1)],
)
def test_the_list_that_travels_with_us_knows_models_by_either_spelling(model, into, out, cached):
    found = listed_price(model, NOVEMBER)
    nano = (found.input_nano_per_mtok, found.output_nano_per_mtok, found.cached_input_nano_per_mtok)
    assert nano == (round(into * USD), round(out * USD), round(cached * USD))


def test_what_the_list_does_not_know_has_no_price():
    assert listed_price("nobody/nothing-9000", NOVEMBER) is None


def test_where_the_price_rises_past_so_much_input_the_window_ends_there():
    assert listed_price("gemini/gemini-2.5-pro", NOVEMBER).max_input_tokens == 200_000


@pytest.mark.parametrize(
    ("nano", "words"), [(2_500_000_000, "$2.50"), (75_000_000, "$0.075"), (1_234 * USD, "$1,234.00"), (None, "–")]
)
def test_a_price_is_written_for_people(nano, words):
    assert price_rules.usd(nano) == words
