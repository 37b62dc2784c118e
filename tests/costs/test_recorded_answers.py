"""The recorded live answers, served page by page over HTTP and synced, leave by JSON with the very same sums."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.contract.shared import needs_shared, text_of
from tests.costs.syncing import EMPTY, Syncing
from tests.people import Bearer

pytestmark = needs_shared

# Each row rounded half-even once to nano-USD: 0.6320363681279185 is 0.632036368.
LIVE_USD = {
    "2025-01-21": "0.632036368",
    "2025-01-22": "52.415587618",
    "2025-01-23": "104.887612353",
    "2025-01-24": "0.337603039",
    "2025-01-25": "0.062551043",
    "2025-01-26": "0.000321957",
    "2025-01-27": "0.000308421",
}
LIVE_SUM_USD = Decimal("158.336020799")
OBSERVED_SUM_USD = Decimal("12.5042001")


@pytest.fixture
def alice(outside: Syncing, run_jobs: Callable[[], int]) -> Bearer:
    """Alice, after connecting by JSON and one worker."""
    outside.script(
        text_of("examples/openai/observed_string_amounts.json"), text_of("examples/openai/live_2025_costs_page.json")
    )
    bearer = outside.people.bearer(outside.people.alice)
    connected = bearer.post("/api/openai/connect", json={"apiKey": EMPTY, "mode": "organization"})
    assert connected.status_code == 200
    assert run_jobs() > 0
    return bearer


def ask(bearer: Bearer, path: str, **query: str) -> dict[str, Any]:
    answer = bearer.get(path, query_string=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
    return found


def test_the_trend_has_every_day_exactly(alice: Bearer):
    points = ask(alice, "/api/trend", **{"from": "2025-01-20", "to": "2025-01-28"})["points"]

    assert {point["date"]: Decimal(point["totalUsd"]) for point in points} == {
        "2025-01-20": 0,
        **{day: Decimal(usd) for day, usd in LIVE_USD.items()},
        "2025-01-28": 0,
    }


def test_the_summary_has_the_months_exactly(alice: Bearer):
    assert Decimal(ask(alice, "/api/summary", month="2025-01")["monthToDateUsd"]) == LIVE_SUM_USD
    assert Decimal(ask(alice, "/api/summary", month="2026-07")["monthToDateUsd"]) == OBSERVED_SUM_USD


@pytest.mark.parametrize("by", ["project", "line_item", "model", "api_key"])
@pytest.mark.parametrize(("month", "usd"), [("2025-01", LIVE_SUM_USD), ("2026-07", OBSERVED_SUM_USD)])
def test_every_breakdown_sums_to_the_bill(alice: Bearer, by: str, month: str, usd: Decimal):
    items = ask(alice, "/api/breakdown", month=month, by=by)["items"]

    assert sum(Decimal(item["usd"]) for item in items) == usd


def test_text_amounts_keep_their_line_items(alice: Bearer):
    items = ask(alice, "/api/breakdown", month="2026-07", by="line_item")["items"]

    assert {item["key"]: Decimal(item["usd"]) for item in items if item["usd"]} == {
        "gpt-5.6-luna, output": Decimal("12.5"),
        "gpt-5.6-luna, input": Decimal("0.0042"),
        "web search tool calls": Decimal("0.0000001"),
    }
