"""The sandbox's switches: faults, scripts, clock and calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from tests.providers.stand_in import NOW, TODAY, StandIn
from tokenboard.core import clock

COSTS = "/openai/v1/organization/costs"
START = clock.unix_seconds(TODAY - timedelta(days=5))


def test_scripted_pages_are_served_word_for_word(stand_in: StandIn):
    pages = ['{"data": [],  "has_more": true, "next_page": "b", "x": 0.10}', {"data": [], "has_more": False}]
    stand_in.order("openai/script", {"key": "sk-admin-sandbox-alice", "path": COSTS, "pages": pages})
    assert stand_in.get(COSTS, "sk-admin-sandbox-alice").text == pages[0]
    assert stand_in.get(f"{COSTS}?page=b", "sk-admin-sandbox-alice").json() == pages[1]
    assert stand_in.get(f"{COSTS}?page=c", "sk-admin-sandbox-alice").json()["data"] == []
    assert len(stand_in.get(f"{COSTS}?start_time={START}").json()["data"]) == 6, "other keys see the world"


def test_a_fault_can_be_ordered_by_header(stand_in: StandIn):
    assert stand_in.get(COSTS, **{"X-Sandbox-Fault": "503"}).status_code == 503
    assert stand_in.get(f"{COSTS}?start_time={START}").status_code == 200


def test_ordered_faults_strike_their_path_so_often_and_in_order(stand_in: StandIn):
    stand_in.order("faults", {"path": COSTS, "fault": "500", "times": 1})
    stand_in.order("faults", {"path": "/openai", "fault": "429-bare", "times": 1})
    path = f"{COSTS}?start_time={START}"
    assert [stand_in.get(path).status_code for _ in range(3)] == [500, 429, 200]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"path": COSTS, "fault": "meteor"}),
        ("faults", {"path": COSTS}),
        ("clock", {"now": "2026-11-20T00:00:00"}),
        ("clock", {}),
        ("openai/revision", {"day": "tomorrow", "factor": "1"}),
        ("openai/revision", {"day": "2026-11-01", "factor": "NaN"}),
        ("openai/script", {"path": COSTS, "pages": ["{"]}),
        ("settings", {"slow_seconds": "long"}),
    ],
)
def test_a_control_call_that_makes_no_sense_is_refused(stand_in: StandIn, path: str, body: dict[str, Any]):
    assert requests.post(f"{stand_in.url}/_control/{path}", json=body, timeout=5).status_code == 422


def test_reset_forgets_everything(stand_in: StandIn):
    stand_in.order("clock", {"now": "2027-01-01T00:00:00+00:00"})
    stand_in.order("faults", {"path": "/", "fault": "500", "times": 9})
    stand_in.order("reset", {})
    state = requests.get(f"{stand_in.url}/_control/state", timeout=5).json()
    assert datetime.fromisoformat(state["now"]) == NOW
    assert state["calls"] == []
    assert stand_in.get(f"{COSTS}?start_time={START}").status_code == 200


def test_silence_lasts_as_long_as_it_is_told_to(stand_in: StandIn):
    stand_in.order("settings", {"slow_seconds": 0.01})
    assert stand_in.get(COSTS, "sk-admin-sandbox-slow").status_code == 504


def test_the_front_page_lists_the_keys(stand_in: StandIn):
    text = requests.get(stand_in.url, timeout=5).text
    for name in ("-revoked", "-429-bare", "-halfpage", "sk-sandbox-session"):
        assert name in text
    assert (
        requests.get(
            f"{stand_in.url}/openai/v2", headers={"Authorization": "Bearer sk-admin-sandbox"}, timeout=5
        ).status_code
        == 404
    )


def test_calls_are_remembered_without_keys(stand_in: StandIn):
    stand_in.get(f"{COSTS}?start_time={START}", "sk-admin-sandbox-CANARY")
    state = requests.get(f"{stand_in.url}/_control/state", timeout=5)
    assert state.json()["calls"] == [{"path": COSTS, "query": f"start_time={START}"}]
    assert "CANARY" not in state.text
