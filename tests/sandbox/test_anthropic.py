"""The sandbox's Anthropic keeps the real one's rules."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.providers.stand_in import StandIn

BASE = "/anthropic/v1/organizations"
KEY = {"x-api-key": "sk-ant-admin-sandbox", "anthropic-version": "2023-06-01"}


def _get(stand_in: StandIn, path: str, headers: dict[str, str] = KEY) -> requests.Response:
    return requests.get(stand_in.url + BASE + path, headers=headers, timeout=5)


def _results(answer: requests.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [row for bucket in answer.json()["data"] for row in bucket["results"]]


def test_group_keys_are_null_unless_asked_for(stand_in: StandIn):
    path = "/cost_report?starting_at=2026-11-18T00:00:00Z&ending_at=2026-11-19T00:00:00Z"
    [alone] = _results(_get(stand_in, path))
    assert {name for name, value in alone.items() if value is not None} == {"amount", "currency"}
    described = _results(_get(stand_in, f"{path}&group_by[]=description"))
    assert all(row["description"] and row["cost_type"] and row["workspace_id"] is None for row in described)
    usage = "/usage_report/messages?starting_at=2026-11-18T00:00:00Z&ending_at=2026-11-19T00:00:00Z"
    rows = _results(_get(stand_in, f"{usage}&group_by[]=model"))
    assert len({row["model"] for row in rows}) == len(rows) == 3


def test_amounts_are_text_in_cents(stand_in: StandIn):
    rows = _results(_get(stand_in, "/cost_report?starting_at=2026-11-18T00:00:00Z"))
    assert all(isinstance(row["amount"], str) and "E" not in row["amount"] for row in rows)
    assert all(row["currency"] == "USD" for row in rows)


@pytest.mark.parametrize(
    "path",
    [
        "/cost_report",
        "/cost_report?starting_at=yesterday",
        "/cost_report?starting_at=2026-11-18T00:00:00Z&group_by=description",
        "/cost_report?starting_at=2026-11-18T00:00:00Z&group_by[]=model",
        "/cost_report?starting_at=2026-11-18T00:00:00Z&limit=32",
        "/cost_report?starting_at=2026-11-18T00:00:00Z&bucket_width=1h",
        "/workspaces?limit=0",
        "/workspaces?after_id=nobody",
    ],
)
def test_what_the_provider_would_refuse_is_refused(stand_in: StandIn, path: str):
    answer = _get(stand_in, path)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_key_and_the_version_are_needed(stand_in: StandIn):
    path = "/cost_report?starting_at=2026-11-18T00:00:00Z"
    assert _get(stand_in, path, {"anthropic-version": "2023-06-01"}).status_code == 401
    assert _get(stand_in, path, {"x-api-key": "sk-ant-admin-sandbox"}).status_code == 400


def test_pages_follow_each_other_without_a_gap(stand_in: StandIn):
    path = "/cost_report?starting_at=2026-11-01T00:00:00Z&ending_at=2026-11-10T00:00:00Z&limit=5"
    first = _get(stand_in, path).json()
    second = _get(stand_in, f"{path}&page={first['next_page']}").json()
    days = [bucket["starting_at"][:10] for bucket in first["data"] + second["data"]]
    assert days == [f"2026-11-0{number}" for number in range(1, 10)]
    assert second["has_more"] is False


def test_an_empty_organization_has_days_and_no_rows(stand_in: StandIn):
    headers = {**KEY, "x-api-key": "sk-ant-admin-sandbox-empty"}
    answer = _get(stand_in, "/cost_report?starting_at=2026-11-18T00:00:00Z", headers)
    assert _results(answer) == []
    assert len(answer.json()["data"]) == 3
    assert _get(stand_in, "/workspaces", headers).json()["data"] == []


def test_archived_workspaces_come_when_asked_for(stand_in: StandIn):
    assert len(_get(stand_in, "/workspaces").json()["data"]) == 2
    paged = _get(stand_in, "/workspaces?include_archived=true&limit=2").json()
    rest = _get(stand_in, f"/workspaces?include_archived=true&limit=2&after_id={paged['last_id']}").json()
    assert (paged["has_more"], rest["has_more"], len(rest["data"])) == (True, False, 1)
