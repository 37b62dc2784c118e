"""Anthropic's admin API as our client reads it, over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.providers.stand_in import TODAY, TOMORROW, StandIn, day
from tokenboard.core import clock
from tokenboard.providers.costs import CostProvider, CostRow, KeyCheck, KeyName, ProjectName, UsageRow
from tokenboard.providers.errors import BadAnswer, KeyLacksScope

COSTS = "/anthropic/v1/organizations/cost_report"
USAGE = "/anthropic/v1/organizations/usage_report/messages"


def _page(on: str, *results: dict[str, Any]) -> dict[str, Any]:
    bucket = {"starting_at": f"{on}T00:00:00Z", "ending_at": f"{on}T23:59:59Z", "results": list(results)}
    return {"data": [bucket], "has_more": False, "next_page": None}


def test_the_client_is_a_cost_provider(stand_in: StandIn):
    provider: CostProvider = stand_in.anthropic()
    assert provider.provider == "anthropic"
    assert provider.usage_kinds == ("messages",)


def test_half_a_year_comes_day_by_day_in_order(stand_in: StandIn):
    start = TOMORROW - timedelta(days=180)
    found = list(stand_in.anthropic().costs(start, TOMORROW))
    assert [one.day for one in found] == clock.days_between(start, TODAY)
    assert all(one.rows and one.currencies == {"usd"} for one in found)
    assert len(stand_in.calls()) == 6


def test_the_request_carries_whole_days_and_brackets(stand_in: StandIn):
    list(stand_in.anthropic().costs(day("2026-11-01"), day("2026-11-04")))
    assert parse_qsl(stand_in.calls()[0][1]) == [
        ("starting_at", "2026-11-01T00:00:00Z"),
        ("ending_at", "2026-11-04T00:00:00Z"),
        ("bucket_width", "1d"),
        ("limit", "3"),
        ("group_by[]", "workspace_id"),
        ("group_by[]", "description"),
    ]


def test_amounts_are_cents_written_as_text(stand_in: StandIn):
    rows: list[dict[str, Any]] = [
        {
            "amount": "123.78912",
            "currency": "USD",
            "description": "Sonnet - Input",
            "workspace_id": None,
            "model": "sonnet",
        },
        {"amount": "0.00000005", "currency": "USD", "cost_type": "web_search", "workspace_id": "w"},
        {"amount": None, "currency": "USD"},
    ]
    stand_in.script([_page("2026-08-01", *rows)], COSTS)
    [found] = stand_in.anthropic().costs(TODAY, TOMORROW)
    assert found.day == day("2026-08-01")
    assert found.rows == (
        CostRow(None, "Sonnet - Input", None, 1_237_891_200, "usd", model="sonnet"),
        CostRow("w", "web_search", None, 0, "usd"),
    )
    assert found.rows_without_amount == 1


def test_input_is_the_total_of_uncached_cached_and_cache_writing(stand_in: StandIn):
    row = {
        "uncached_input_tokens": 1500,
        "cache_read_input_tokens": 200,
        "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
        "output_tokens": 500,
        "server_tool_use": {"web_search_requests": 10},
        "api_key_id": None,
        "workspace_id": "w",
        "model": "claude-sonnet-4-20250514",
    }
    stand_in.script([_page("2026-08-01", row)], USAGE)
    [found] = stand_in.anthropic().usage("messages", TODAY, TOMORROW)
    assert found.rows == (
        UsageRow("messages", "w", "claude-sonnet-4-20250514", None, 0, 3200, 200, 500, 10, "web searches"),
    )


@pytest.mark.parametrize(
    "page",
    [
        _page("2026-08-01", {"amount": "NaN", "currency": "USD"}),
        _page("2026-08-01", {"amount": {"value": 1}, "currency": "USD"}),
        {"data": [{"starting_at": "yesterday", "results": []}]},
        {"data": [{"starting_at": "2026-08-01T00:00:00", "results": []}]},
        {"data": [{"starting_at": 1793491200, "results": []}]},
        {"data": [{"starting_at": "2026-08-01T00:00:00Z"}]},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_a_bad_answer(stand_in: StandIn, page: dict[str, Any]):
    stand_in.script([page], COSTS)
    with pytest.raises(BadAnswer):
        list(stand_in.anthropic().costs(TODAY, TOMORROW))


@pytest.mark.parametrize("field", ["cache_creation", "server_tool_use", "output_tokens"])
def test_usage_of_the_wrong_shape_is_a_bad_answer(stand_in: StandIn, field: str):
    stand_in.script([_page("2026-08-01", {field: "many"})], USAGE)
    with pytest.raises(BadAnswer, match="2026-08-01"):
        list(stand_in.anthropic().usage("messages", TODAY, TOMORROW))


def test_only_message_usage_is_reported(stand_in: StandIn):
    with pytest.raises(ValueError, match="messages"):
        stand_in.anthropic().usage("images", TODAY, TOMORROW)


def test_workspaces_stand_where_projects_do(stand_in: StandIn):
    found = list(stand_in.anthropic().projects())
    assert ProjectName("wrkspc_SbxTrial", "Spring trial", is_archived=True) in found
    assert ProjectName("wrkspc_SbxResearch", "Research") in found


def test_a_workspaces_keys_are_named(stand_in: StandIn):
    assert list(stand_in.anthropic().api_keys("wrkspc_SbxCoding")) == [
        KeyName("apikey_SbxCoding", "ci-agents", "wrkspc_SbxCoding", "sk-ant-api03-...ding")
    ]


def test_a_key_is_tried_on_costs_and_on_names(stand_in: StandIn):
    assert stand_in.anthropic().check_key() == KeyCheck(True, True)
    assert stand_in.anthropic("sk-ant-admin-sandbox-nonames").check_key() == KeyCheck(True, False)
    with pytest.raises(KeyLacksScope):
        stand_in.anthropic("sk-ant-admin-sandbox-nousage").check_key()


def test_a_rate_limit_is_waited_out(stand_in: StandIn):
    assert len(list(stand_in.anthropic("sk-ant-admin-sandbox-429").costs(TODAY, TOMORROW))) == 1
    assert stand_in.slept_seconds == [1.5]
