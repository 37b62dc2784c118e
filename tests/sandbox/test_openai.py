"""The sandbox behaves as OpenAI was seen to behave."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.providers.stand_in import NOW, TODAY, StandIn, day
from tokenboard.core import clock
from tokenboard.sandbox.workload import MINUTES_PER_DAY, accidents, share

COSTS = "/openai/v1/organization/costs"
USAGE = "/openai/v1/organization/usage"
START = clock.unix_seconds(TODAY - timedelta(days=5))


def _page(stand_in: StandIn, path: str, key: str = "sk-admin-sandbox") -> dict[str, Any]:
    answer = stand_in.get(path, key)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json(parse_float=Decimal)
    return found


def _total(page: dict[str, Any]) -> Decimal:
    return sum(
        (Decimal(str(row["amount"]["value"])) for bucket in page["data"] for row in bucket["results"]), Decimal(0)
    )


def test_there_are_at_least_seven_months_and_no_future(stand_in: StandIn):
    start = clock.unix_seconds(TODAY - timedelta(days=215))
    first = _page(stand_in, f"{COSTS}?start_time={start}&limit=180&end_time={START + 90 * 86_400}")
    second = _page(stand_in, f"{COSTS}?start_time={start}&limit=180&page={first['next_page']}")
    buckets = first["data"] + second["data"]
    assert len(buckets) == 216
    assert all(bucket["results"] for bucket in buckets)
    assert clock.day_of(buckets[-1]["start_time"]) == TODAY
    assert second["has_more"] is False
    assert second["next_page"] is None


def test_the_same_question_has_the_same_answer(stand_in: StandIn):
    path = f"{COSTS}?start_time={START}&group_by=line_item"
    assert stand_in.get(path).content == stand_in.get(path).content


def test_weekends_are_quiet_the_company_grows_and_something_ran_away(stand_in: StandIn):
    start = clock.unix_seconds(TODAY - timedelta(days=179))
    page = _page(stand_in, f"{COSTS}?start_time={start}&limit=180")
    totals = {clock.day_of(bucket["start_time"]): _total({"data": [bucket]}) for bucket in page["data"]}
    weekends = [amount for on, amount in totals.items() if on.weekday() >= 5]
    weekdays = [amount for on, amount in totals.items() if on.weekday() < 5]
    assert sum(weekends) / len(weekends) < sum(weekdays) / len(weekdays) / 2
    months: dict[tuple[int, int], list[Decimal]] = defaultdict(list)
    for on, amount in totals.items():
        months[on.year, on.month].append(amount)
    means = [sum(amounts, Decimal(0)) / len(amounts) for _, amounts in sorted(months.items())]
    assert means[-1] > means[0] * Decimal("1.2")
    accident = accidents(TODAY - timedelta(days=240), TODAY)[-1]
    assert TODAY - accident < timedelta(days=30)
    assert totals[accident] > 2 * totals[accident - timedelta(days=7)]


def test_group_keys_are_null_unless_asked_for(stand_in: StandIn):
    keys = ("project_id", "line_item", "api_key_id")
    for asked in ((), ("project_id",), ("line_item", "api_key_id"), keys):
        query = "".join(f"&group_by={name}" for name in asked)
        page = _page(stand_in, f"{COSTS}?start_time={START}{query}")
        for row in (row for bucket in page["data"] for row in bucket["results"]):
            assert {name for name in keys if row[name] is not None} == set(asked)
            assert (row["quantity"] is None) == ("line_item" not in asked)


def test_brackets_and_repeated_names_mean_the_same(stand_in: StandIn):
    plain = stand_in.get(f"{COSTS}?start_time={START}&group_by=project_id&group_by=line_item")
    bracketed = stand_in.get(f"{COSTS}?start_time={START}&group_by[]=project_id&group_by[]=line_item")
    assert plain.content == bracketed.content


def test_filters_leave_what_is_asked_for(stand_in: StandIn):
    page = _page(stand_in, f"{COSTS}?start_time={START}&group_by=project_id&project_ids=proj_SbxSearch")
    assert {row["project_id"] for bucket in page["data"] for row in bucket["results"]} == {"proj_SbxSearch"}
    page = _page(stand_in, f"{USAGE}/completions?start_time={START}&group_by=model&models[]=gpt-5.6-luna")
    assert {row["model"] for bucket in page["data"] for row in bucket["results"]} == {"gpt-5.6-luna"}
    page = _page(stand_in, f"{USAGE}/completions?start_time={START}&batch=true")
    assert all(bucket["results"] == [] for bucket in page["data"])


def test_costs_snap_an_unaligned_start_to_midnight_and_usage_clips_it(stand_in: StandIn):
    noon = START + 43_200
    costs = _page(stand_in, f"{COSTS}?start_time={noon}")
    usage = _page(stand_in, f"{USAGE}/completions?start_time={noon}")
    whole = _page(stand_in, f"{USAGE}/completions?start_time={START}")
    assert costs["data"][0]["start_time"] == START
    assert (usage["data"][0]["start_time"], usage["data"][0]["end_time"]) == (noon, START + 86_400)
    clipped, full = (page["data"][0]["results"][0]["input_tokens"] for page in (usage, whole))
    assert 0 < clipped < full


@pytest.mark.parametrize(("width", "count"), [("1h", 24), ("1m", 1_440)])
def test_narrow_buckets_add_up_to_the_day(stand_in: StandIn, width: str, count: int):
    end = START + 86_400
    day_page = _page(stand_in, f"{USAGE}/completions?start_time={START}&end_time={end}")
    narrow = _page(
        stand_in, f"{USAGE}/completions?start_time={START}&end_time={end}&bucket_width={width}&limit={count}"
    )
    assert len(narrow["data"]) == count
    for name in ("num_model_requests", "output_tokens"):
        parts = sum(row[name] for bucket in narrow["data"] for row in bucket["results"])
        assert parts == day_page["data"][0]["results"][0][name]


def test_parts_of_a_day_add_up_exactly():
    for total in (0, 1, 7, 1_000_003):
        assert sum(share(total, minute, minute + 1) for minute in range(MINUTES_PER_DAY)) == total


@pytest.mark.parametrize(
    "query",
    [
        "",
        "start_time=yesterday",
        "start_time=-1",
        f"start_time={START}&limit=0",
        f"start_time={START}&limit=181",
        f"start_time={START}&limit=many",
        f"start_time={START}&bucket_width=1h",
        f"start_time={START}&group_by=model",
        f"start_time={START}&end_time={START}",
        f"start_time={START}&page=nonsense",
        f"start_time={START}&page=page_"
        + base64.urlsafe_b64encode(json.dumps({"kind": "costs", "start": 1}).encode()).decode(),
    ],
)
def test_what_the_provider_would_refuse_is_refused(stand_in: StandIn, query: str):
    answer = stand_in.get(f"{COSTS}?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_usage_limits_are_those_of_the_width(stand_in: StandIn):
    for width, most in (("1d", 31), ("1h", 168), ("1m", 1_440)):
        query = f"start_time={START}&bucket_width={width}"
        assert stand_in.get(f"{USAGE}/completions?{query}&limit={most}").status_code == 200
        assert stand_in.get(f"{USAGE}/completions?{query}&limit={most + 1}").status_code == 400
    assert stand_in.get(f"{USAGE}/thoughts?start_time={START}").status_code == 404


def test_seven_buckets_come_unless_more_are_asked_for(stand_in: StandIn):
    page = _page(stand_in, f"{COSTS}?start_time={START - 30 * 86_400}")
    assert len(page["data"]) == 7
    assert page["has_more"] is True


def test_a_cursor_belongs_to_its_endpoint(stand_in: StandIn):
    page = _page(stand_in, f"{COSTS}?start_time={START}&limit=1")
    assert stand_in.get(f"{USAGE}/completions?start_time={START}&page={page['next_page']}").status_code == 400


def test_without_a_key_nothing_is_told(stand_in: StandIn):
    for path in (
        COSTS,
        f"{USAGE}/completions",
        "/openai/v1/organization/projects",
        "/openai/v1/dashboard/billing/credit_grants",
    ):
        assert requests.get(stand_in.url + path, timeout=5).status_code == 401
    assert (
        requests.get(
            stand_in.url + "/openai/v1/organization/costs", headers={"Authorization": "Basic x"}, timeout=5
        ).status_code
        == 401
    )


def test_today_grows_with_the_hour_and_then_settles(stand_in: StandIn):
    path = f"{COSTS}?start_time={clock.unix_seconds(TODAY)}&end_time={clock.unix_seconds(TODAY) + 86_400}"
    totals = []
    for later in (0, 1, 6, 12, 36, 60, 100):
        stand_in.order("clock", {"now": (NOW + timedelta(hours=later)).isoformat()})
        totals.append(_total(_page(stand_in, path)))
    assert totals[:6] == sorted(set(totals[:6]))
    assert totals[6] == totals[5]


def test_the_clock_does_not_change_the_settled_past(stand_in: StandIn):
    path = f"{COSTS}?start_time={START - 20 * 86_400}&end_time={START - 10 * 86_400}&group_by=line_item&limit=10"
    before = stand_in.get(path).content
    stand_in.order("clock", {"now": (NOW + timedelta(days=90)).isoformat()})
    assert stand_in.get(path).content == before


def test_a_revision_changes_the_bill_of_its_day_only(stand_in: StandIn):
    path = f"{COSTS}?start_time={START}&end_time={START + 3 * 86_400}&group_by=project_id"
    before = _page(stand_in, path)
    on = (clock.day_of(START) + timedelta(days=1)).isoformat()
    stand_in.order("openai/revision", {"day": on, "project_id": "proj_SbxSearch", "factor": "2"})
    after = _page(stand_in, path)
    changed = [
        (new["project_id"], round(float(new["amount"]["value"] / old["amount"]["value"]), 9))
        for old_bucket, new_bucket in zip(before["data"], after["data"], strict=True)
        for old, new in zip(old_bucket["results"], new_bucket["results"], strict=True)
        if old != new
    ]
    assert changed == [("proj_SbxSearch", 2.0)]


def test_a_drifting_key_finds_the_last_two_days_dearer_at_every_read(stand_in: StandIn):
    path = f"{COSTS}?start_time={START}"
    first, second = (_page(stand_in, path, "sk-admin-sandbox-drifting") for _ in range(2))
    changed = [
        clock.day_of(old["start_time"])
        for old, new in zip(first["data"], second["data"], strict=True)
        if _total({"data": [new]}) > _total({"data": [old]})
    ]
    assert changed == [TODAY - timedelta(days=2), TODAY - timedelta(days=1)]


def test_amounts_are_numbers_with_long_tails_unless_the_key_asks_for_text(stand_in: StandIn):
    path = f"{COSTS}?start_time={START}&group_by=line_item"
    numbers = [row["amount"]["value"] for row in _page(stand_in, path)["data"][0]["results"]]
    texts = [row["amount"]["value"] for row in _page(stand_in, path, "sk-admin-sandbox-strings")["data"][0]["results"]]
    assert all(isinstance(value, Decimal) for value in numbers)
    assert any(len(str(value)) > 12 for value in numbers)
    assert all(isinstance(value, str) for value in texts)


def test_other_worlds_are_empty_or_large(stand_in: StandIn):
    path = f"{COSTS}?start_time={START}&group_by=project_id&group_by=line_item"
    empty, large = (_page(stand_in, path, f"sk-admin-sandbox-{name}") for name in ("empty", "large"))
    assert [bucket["results"] for bucket in empty["data"]] == [[]] * 6
    assert len(large["data"][0]["results"]) == 400


def test_projects_appear_and_are_archived_in_their_time(stand_in: StandIn):
    path = "/openai/v1/organization/projects"
    assert len(_page(stand_in, f"{path}?include_archived=true")["data"]) == 6
    assert len(_page(stand_in, path)["data"]) == 5
    stand_in.order("clock", {"now": (NOW - timedelta(days=120)).isoformat()})
    names = {row["name"] for row in _page(stand_in, path)["data"]}
    assert "Legacy prototype" in names
    assert "Mobile app" not in names


def test_lists_of_names_are_paged_by_id(stand_in: StandIn):
    path = "/openai/v1/organization/projects?include_archived=true&limit=4"
    first = _page(stand_in, path)
    second = _page(stand_in, f"{path}&after={first['last_id']}")
    assert (len(first["data"]), first["has_more"], len(second["data"]), second["has_more"]) == (4, True, 2, False)
    for bad in ("limit=0", "limit=101", "limit=x", "after=nobody"):
        assert stand_in.get(f"/openai/v1/organization/projects?{bad}").status_code == 400
    assert stand_in.get("/openai/v1/organization/projects/proj_nobody/api_keys").status_code == 404


def test_the_prepaid_balance_is_used_up_little_by_little(stand_in: StandIn):
    path = "/openai/v1/dashboard/billing/credit_grants"
    before = _page(stand_in, path, "sk-sandbox")["total_used"]
    stand_in.order("clock", {"now": (NOW + timedelta(hours=5)).isoformat()})
    assert _page(stand_in, path, "sk-sandbox")["total_used"] > before


def test_midnight_is_utc(stand_in: StandIn):
    stand_in.order("clock", {"now": datetime(2026, 11, 20, 0, 30, tzinfo=UTC).isoformat()})
    page = _page(stand_in, f"{COSTS}?start_time={clock.unix_seconds(day('2026-11-19'))}")
    assert [clock.day_of(bucket["start_time"]) for bucket in page["data"]] == [day("2026-11-19"), day("2026-11-20")]
    assert page["data"][1]["results"] == []
