"""OpenAI's admin API as our client reads it, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, strategies as st

from tests.providers.stand_in import NOW, TODAY, StandIn, day
from tokenboard.core import clock
from tokenboard.providers import openai_answers
from tokenboard.providers.costs import CostProvider, CostRow, CreditGrant, KeyCheck, ProjectName, UsageRow
from tokenboard.providers.errors import BadAnswer, KeyLacksScope, ProviderUnavailable
from tokenboard.providers.openai_client import OpenAIClient
from tokenboard.providers.reading import Unreadable

TOMORROW = TODAY + timedelta(days=1)
COSTS = "/openai/v1/organization/costs"


def _bucket(on: str, *results: dict[str, Any], name: str = "results") -> dict[str, Any]:
    start = clock.unix_seconds(day(on))
    return {"object": "bucket", "start_time": start, "end_time": start + 86_400, name: list(results)}


def _page(*buckets: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    return {"object": "page", "data": list(buckets), "has_more": cursor is not None, "next_page": cursor}


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
    stand_in.script([_page(_bucket("2026-11-01", *rows))])
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
    stand_in.script([_page(_bucket("2026-11-01", _cost(1)), _bucket("2026-11-02", row))])
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
    stand_in.script([_page(_bucket("2026-11-01", _cost(1), name="result"))])
    [found] = stand_in.openai().costs(TODAY, TOMORROW)
    assert found.rows[0].amount_nano == 1_000_000_000


def test_days_of_whole_pages_are_given_before_a_later_page_fails(stand_in: StandIn):
    stand_in.script([_page(_bucket("2026-11-01", _cost(1)), cursor="two"), _page(_bucket("2026-11-02", _cost("NaN")))])
    days = stand_in.openai().costs(TODAY, TOMORROW)
    assert next(days).day == day("2026-11-01")
    with pytest.raises(BadAnswer):
        next(days)


def test_a_day_that_comes_again_on_a_later_page_is_refused(stand_in: StandIn):
    stand_in.script([_page(_bucket("2026-11-01", _cost(1)), cursor="two"), _page(_bucket("2026-11-01", _cost(2)))])
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


USAGE = [
    ("completions", {"input_tokens": 100, "input_cached_tokens": 40, "input_audio_tokens": 9, "output_tokens": 7,
                     "num_model_requests": 3}, UsageRow("completions", "p", "m", "k", 3, 100, 40, 7)),
    ("embeddings", {"input_tokens": 5, "num_model_requests": 2}, UsageRow("embeddings", "p", "m", "k", 2, 5)),
    ("moderations", {"input_tokens": 5, "num_model_requests": 2}, UsageRow("moderations", "p", "m", "k", 2, 5)),
    ("images", {"images": 4, "num_model_requests": 2}, UsageRow("images", "p", "m", "k", 2, quantity=4, unit="images")),
    ("audio_speeches", {"characters": 45, "num_model_requests": 1},
     UsageRow("audio_speeches", "p", "m", "k", 1, quantity=45, unit="characters")),
    ("audio_transcriptions", {"seconds": 20, "num_model_requests": 1},
     UsageRow("audio_transcriptions", "p", "m", "k", 1, quantity=20, unit="seconds")),
    ("vector_stores", {"usage_bytes": 1024}, UsageRow("vector_stores", "p", "m", "k", quantity=1024, unit="bytes")),
    ("code_interpreter_sessions", {"num_sessions": 1},
     UsageRow("code_interpreter_sessions", "p", "m", "k", quantity=1, unit="sessions")),
    ("file_search_calls", {"num_requests": 2},
     UsageRow("file_search_calls", "p", "m", "k", 2, quantity=2, unit="calls")),
    ("web_search_calls", {"num_model_requests": 2, "num_requests": 5},
     UsageRow("web_search_calls", "p", "m", "k", 2, quantity=5, unit="calls")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "counts", "expected"), USAGE, ids=[row[0] for row in USAGE])
def test_each_usage_endpoint_is_read_in_its_own_terms(
    stand_in: StandIn, kind: str, counts: dict[str, int], expected: UsageRow
):
    result = {"object": "x", "project_id": "p", "model": "m", "api_key_id": "k", **counts}
    stand_in.script([_page(_bucket("2026-11-01", result))], f"/openai/v1/organization/usage/{kind}")
    [found] = stand_in.openai().usage(kind, TODAY, TOMORROW)
    assert found.rows == (expected,)


@pytest.mark.parametrize("kind", OpenAIClient.usage_kinds)
def test_the_sandbox_answers_each_usage_endpoint_with_31_days_a_page(stand_in: StandIn, kind: str):
    start = TOMORROW - timedelta(days=62)
    found = list(stand_in.openai().usage(kind, start, TOMORROW))
    assert [one.day for one in found] == clock.days_between(start, TODAY)
    assert len(stand_in.calls()) == 2
    assert found[0].rows
    assert all(row.kind == kind for one in found for row in one.rows)


@pytest.mark.parametrize("count", [-1, "5", 1.5, True, 2**63, [], {}])
def test_a_count_that_is_none_is_refused(stand_in: StandIn, count: object):
    path = "/openai/v1/organization/usage/embeddings"
    stand_in.script([_page(_bucket("2026-11-01", {"input_tokens": count, "num_model_requests": 1}))], path)
    with pytest.raises(BadAnswer, match="embeddings usage of 2026-11-01"):
        list(stand_in.openai().usage("embeddings", TODAY, TOMORROW))


def test_a_day_without_traffic_is_a_day_without_rows(stand_in: StandIn):
    stand_in.script([_page(_bucket("2026-11-01"))])
    [found] = stand_in.openai().costs(TODAY, TOMORROW)
    assert found.rows == ()


def test_a_clipped_first_bucket_is_keyed_by_its_utc_day(stand_in: StandIn):
    path = "/openai/v1/organization/usage/completions"
    stand_in.script([_page({"start_time": 1736616660, "end_time": 1736640000, "results": []})], path)
    [found] = stand_in.openai().usage("completions", TODAY, TOMORROW)
    assert found.day == day("2025-01-11")


def test_all_projects_are_named_archived_ones_too(stand_in: StandIn):
    found = list(stand_in.openai().projects())
    assert len(found) == 6
    assert ProjectName("proj_SbxLegacy", "Legacy prototype", is_archived=True) in found


def test_lists_of_names_are_followed_by_their_last_id(stand_in: StandIn):
    found = list(stand_in.openai("sk-admin-sandbox-large").projects())
    assert len({project.id for project in found}) == 40
    path = "/openai/v1/organization/projects"
    stand_in.script(
        [{"data": [{"id": "a", "object": "organization.project"}], "has_more": True, "last_id": None}], path
    )
    with pytest.raises(BadAnswer, match="no cursor"):
        list(stand_in.openai().projects())


def test_a_projects_keys_are_named_and_never_shown(stand_in: StandIn):
    found = list(stand_in.openai().api_keys("proj_SbxSupport"))
    assert [(key.name, key.redacted_value) for key in found] == [
        ("support-prod", "sk-proj-...rod"),
        ("support-staging", "sk-proj-...ing"),
    ]


def test_a_project_id_stays_inside_its_place_in_the_address(stand_in: StandIn):
    with pytest.raises(Exception, match="404"):
        list(stand_in.openai().api_keys("../users?x=1"))
    [(path, query)] = stand_in.calls()
    assert path == "/openai/v1/organization/projects/../users?x=1/api_keys"
    assert query == "limit=100"


def test_a_key_is_tried_on_costs_and_on_names(stand_in: StandIn):
    assert stand_in.openai().check_key() == KeyCheck(can_read_costs=True, can_read_names=True)
    assert [path for path, _ in stand_in.calls()] == [COSTS, "/openai/v1/organization/projects"]


def test_a_key_without_the_names_scope_is_good_enough(stand_in: StandIn):
    assert stand_in.openai("sk-admin-sandbox-nonames").check_key() == KeyCheck(True, False)


def test_a_key_that_reads_names_only_is_refused(stand_in: StandIn):
    with pytest.raises(KeyLacksScope):
        stand_in.openai("sk-admin-sandbox-nousage").check_key()


def test_trouble_while_trying_the_names_is_not_taken_for_a_missing_scope(stand_in: StandIn):
    stand_in.order("faults", {"path": "/openai/v1/organization/projects", "fault": "500", "times": 9})
    with pytest.raises(ProviderUnavailable):
        stand_in.openai().check_key()


def test_the_balance_counts_unexpired_grants_only(stand_in: StandIn, set_clock: Callable[[datetime], None]):
    set_clock(NOW)
    found = stand_in.openai("sk-sandbox").credit_grants()
    assert found.granted_nano == 120_000_000_000
    assert found.available_nano == found.granted_nano - found.used_nano
    assert found.used_ever_nano == found.used_nano + 3_180_000_000
    assert len(found.grants) == 2


def _balance(**totals: object) -> dict[str, object]:
    return {"object": "credit_summary", "total_granted": 10, "total_used": "2.5", "total_available": 7.5, **totals}


def test_a_reseller_that_lists_no_grants_gives_its_totals():
    found = openai_answers.credit_grants(_balance(total_available=Decimal("7.5")), NOW)
    assert (found.granted_nano, found.used_nano, found.available_nano) == (10 * 10**9, 25 * 10**8, 75 * 10**8)


def test_a_grant_is_read_with_its_times_as_they_come():
    row = {
        "object": "credit_grant",
        "id": "g",
        "grant_amount": Decimal("18.0"),
        "used_amount": Decimal("0.6284545"),
        "effective_at": Decimal("1673740800.0"),
        "expires_at": Decimal("1682899200.0"),
    }
    found = openai_answers.credit_grants(_balance(grants={"object": "list", "data": [row]}), NOW)
    effective_at, expires_at = datetime(2023, 1, 15, tzinfo=UTC), datetime(2023, 5, 1, tzinfo=UTC)
    assert found.grants == (CreditGrant("g", 18 * 10**9, 628_454_500, effective_at, expires_at),)
    assert found.available_nano == 0
    assert found.used_ever_nano == 628_454_500


@pytest.mark.parametrize(
    "broken", [{"total_granted": None}, {"total_used": "x"}, {"grants": []}, {"grants": {"data": [{}]}}]
)
def test_a_balance_that_cannot_be_read_is_refused(broken: dict[str, object]):
    with pytest.raises(Unreadable):
        openai_answers.credit_grants(_balance(**broken), NOW)
