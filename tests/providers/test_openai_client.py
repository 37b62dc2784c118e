"""OpenAI's admin API as our client reads it, over real HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, strategies as st

from tests.providers.stand_in import TODAY, TOMORROW, StandIn, bucket_on, day, page_of
from tokenboard.core import clock
from tokenboard.providers import openai_answers
from tokenboard.providers.costs import CostProvider, CostRow
from tokenboard.providers.errors import BadAnswer
from tokenboard.providers.reading import Unreadable


def _cost(value: object, **more: object) -> dict[str, Any]:
    return {"object": "organization.costs.result", "amount": {"value": value, "currency": "usd"}, **more}


def test_the_client_is_a_cost_provider(stand_in: StandIn):
    provider: CostProvider = stand_in.openai()
    assert provider.provider == "openai"
    assert len(provider.usage_kinds) == 10


def test_half_a_year_comes_day_by_day_in_order_with_bounded_pages(stand_in: StandIn):
    start = TOMORROW - timedelta(days=180)
    found = list(stand_in.openai().costs(start, TOMORROW))
    assert [one.day for one in found] == clock.days_between(start, TODAY)
    assert all(one.rows for one in found)
    assert all(one.currencies == {"usd"} for one in found)
    assert len(stand_in.calls()) == 6


def test_what_is_asked_for_starts_and_ends_at_utc_midnights(stand_in: StandIn):
    list(stand_in.openai().costs(day("2026-11-01"), day("2026-11-04")))
    query = parse_qsl(stand_in.calls()[0][1])
    assert query == [
        ("start_time", "1793491200"),
        ("end_time", "1793750400"),
        ("bucket_width", "1d"),
        ("limit", "3"),
        ("group_by", "project_id"),
        ("group_by", "line_item"),
        ("group_by", "api_key_id"),
    ]


def test_an_empty_range_asks_nothing(stand_in: StandIn):
    client = stand_in.openai()
    assert list(client.costs(TODAY, TODAY)) == []
    assert list(client.usage("completions", TODAY, TODAY - timedelta(days=1))) == []
    assert stand_in.calls() == []


def test_the_bill_is_the_same_however_it_is_grouped(stand_in: StandIn):
    client = stand_in.openai()
    start = TODAY - timedelta(days=10)
    fine = sum(row.amount_nano for one in client.costs(start, TODAY) for row in one.rows)
    rows = [row for one in client.costs(start, TODAY, group_by=()) for row in one.rows]
    assert {(row.project_id, row.line_item, row.api_key_id) for row in rows} == {(None, None, None)}
    assert abs(fine - sum(row.amount_nano for row in rows)) <= 31 * 10  # each row is rounded once


def test_amounts_come_as_numbers_strings_or_not_at_all(stand_in: StandIn):
    rows = [
        _cost(0.1, project_id="proj_a", line_item="gpt, input", api_key_id="key_a", quantity=3, quantity_unit="tokens"),
        _cost("0.2", project_id="", line_item=None, quantity="1.5"),
        _cost("1E-7"),
        _cost(-2, line_item="credit note"),
        _cost(None),
        _cost(""),
        {"object": "organization.costs.result"},
        {"object": "organization.costs.result", "amount": None},
        {"object": "organization.costs.result", "amount": {}},
        {"object": "organization.costs.result", "amount": {"value": 1, "currency": "EUR"}},
    ]
    stand_in.script([page_of(bucket_on("2026-11-01", *rows))])
    [found] = stand_in.openai().costs(TODAY, TOMORROW)
    assert found.rows == (
        CostRow("proj_a", "gpt, input", "key_a", 100_000_000, "usd", Decimal(3), "tokens"),
        CostRow(None, None, None, 200_000_000, "usd", Decimal("1.5")),
        CostRow(None, None, None, 100, "usd"),
        CostRow(None, "credit note", None, -2_000_000_000, "usd"),
        CostRow(None, None, None, 1_000_000_000, "eur"),
    )
    assert found.rows_without_amount == 5
    assert found.currencies == {"usd", "eur"}


@pytest.mark.parametrize(
    "row",
    [
        _cost("NaN"),
        _cost("Infinity"),
        _cost("twelve"),
        _cost("1e9999"),
        _cost("1_000"),
        _cost(True),
        _cost([1]),
        _cost(10**12),
        _cost(1, project_id=7),
        _cost(1, quantity="many"),
        {"amount": 3},
        {"amount": {"value": 1, "currency": "dollars"}},
        {"amount": {"value": 1, "currency": 5}},
        "row",
    ],
    ids=str,
)
def test_a_row_that_cannot_be_trusted_stops_the_page_and_names_its_day(stand_in: StandIn, row: Any):
    stand_in.script([page_of(bucket_on("2026-11-01", _cost(1)), bucket_on("2026-11-02", row))])
    with pytest.raises(BadAnswer, match="2026-11-02"):
        list(stand_in.openai().costs(TODAY, TOMORROW))


@pytest.mark.parametrize(
    "page",
    [
        {"has_more": False},
        {"data": None},
        {"data": {}},
        {"data": [5]},
        {"data": [{"start_time": 1793491200}]},
        {"data": [{"start_time": "1793491200", "results": []}]},
        {"data": [{"start_time": 10**15, "results": []}]},
        {"data": [{"start_time": True, "results": []}]},
    ],
    ids=str,
)
def test_a_page_without_the_promised_shape_is_a_bad_answer(stand_in: StandIn, page: dict[str, Any]):
    stand_in.script([page])
    with pytest.raises(BadAnswer):
        list(stand_in.openai().costs(TODAY, TOMORROW))


def test_the_older_name_of_the_results_list_is_understood(stand_in: StandIn):
    stand_in.script([page_of(bucket_on("2026-11-01", _cost(1), name="result"))])
    [found] = stand_in.openai().costs(TODAY, TOMORROW)
    assert found.rows[0].amount_nano == 1_000_000_000


def test_days_of_whole_pages_are_given_before_a_later_page_fails(stand_in: StandIn):
    stand_in.script(
        [page_of(bucket_on("2026-11-01", _cost(1)), cursor="two"), page_of(bucket_on("2026-11-02", _cost("NaN")))]
    )
    days = stand_in.openai().costs(TODAY, TOMORROW)
    assert next(days).day == day("2026-11-01")
    with pytest.raises(BadAnswer):
        next(days)


def test_a_day_that_comes_again_on_a_later_page_is_refused(stand_in: StandIn):
    stand_in.script(
        [page_of(bucket_on("2026-11-01", _cost(1)), cursor="two"), page_of(bucket_on("2026-11-01", _cost(2)))]
    )
    with pytest.raises(BadAnswer, match="2026-11-01 came twice"):
        list(stand_in.openai().costs(TODAY, TOMORROW))


@pytest.mark.parametrize(
    ("fault", "words", "calls"),
    [("loop", "same page cursor", 2), ("nocursor", "no cursor", 1), ("endless", "500 pages", 500)],
)
def test_broken_paging_ends(stand_in: StandIn, fault: str, words: str, calls: int):
    with pytest.raises(BadAnswer, match=words):
        list(stand_in.openai(f"sk-admin-sandbox-{fault}").costs(TODAY, TOMORROW))
    assert len(stand_in.calls()) == calls


def _exact_nano(text: str) -> int:
    """Half-even by Python's own fractions: an oracle that shares nothing with the code under test."""
    return round(Fraction(text) * 1_000_000_000)


amounts = st.decimals(min_value=-(10**6), max_value=10**6, places=20).map(str) | st.decimals(
    min_value=-(10**6), max_value=10**6, allow_nan=False, allow_infinity=False
).map(str)


@given(st.lists(st.tuples(amounts, st.booleans()), max_size=8))
def test_every_amount_is_rounded_half_even_once_however_it_is_written(values: list[tuple[str, bool]]):
    written = ", ".join(
        f'{{"amount": {{"value": {json.dumps(text) if is_text else text}, "currency": "USD"}}}}'
        for text, is_text in values
    )
    page = json.loads(f'{{"data": [{{"start_time": 1793491200, "results": [{written}]}}]}}', parse_float=Decimal)
    [found] = openai_answers.cost_days(page)
    assert [row.amount_nano for row in found.rows] == [_exact_nano(text) for text, _ in values]
    assert all(row.currency == "usd" for row in found.rows)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values, json_values)
def test_any_json_at_all_is_read_or_refused_by_name(project: object, amount: object, quantity: object):
    row = {"project_id": project, "amount": {"value": amount}, "quantity": quantity}
    page: dict[str, object] = {"data": [{"start_time": 1793491200, "results": [row]}]}
    try:
        list(openai_answers.cost_days(page))
        list(openai_answers.usage_days("completions", page))
    except Unreadable:
        pass


def test_text_that_a_database_would_choke_on_is_cleaned():
    page: dict[str, object] = {
        "data": [{"start_time": 1793491200, "results": [_cost(1, line_item="a\x00b\ud800c" + "x" * 999)]}]
    }
    [found] = openai_answers.cost_days(page)
    assert found.rows[0].line_item is not None
    assert found.rows[0].line_item.startswith("abcx")
    assert len(found.rows[0].line_item) == 255


def test_a_day_without_traffic_is_a_day_without_rows(stand_in: StandIn):
    stand_in.script([page_of(bucket_on("2026-11-01"))])
    [found] = stand_in.openai().costs(TODAY, TOMORROW)
    assert found.rows == ()
