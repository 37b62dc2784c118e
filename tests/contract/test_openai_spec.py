"""The sandbox's answers keep OpenAI's specification and pass OpenAI's own client: what works here can work there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import openai
import pytest
import requests
from flask import Flask
from openai.types.admin.organization import UsageCostsResponse
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError

from tests.contract.shared import example, needs_shared, text_of
from tests.providers.stand_in import TODAY, StandIn
from tokenboard.core import clock
from tokenboard.providers.openai_client import OpenAIClient

START = clock.unix_seconds(TODAY - timedelta(days=40))
pytestmark = pytest.mark.xdist_group("openai spec")
GROUPS = "&group_by=project_id&group_by=line_item&group_by=api_key_id"
PATHS = [
    f"/organization/costs?start_time={START}",
    f"/organization/costs?start_time={START}&limit=40{GROUPS}",
    *(f"/organization/usage/{kind}?start_time={START}&limit=31" for kind in OpenAIClient.usage_kinds),
    *(f"/organization/usage/{kind}?start_time={START}&group_by=project_id" for kind in OpenAIClient.usage_kinds),
    f"/organization/usage/completions?start_time={START}&bucket_width=1h&group_by=batch&group_by=service_tier",
    f"/organization/usage/images?start_time={START}&group_by=size&group_by=source",
    f"/organization/usage/file_search_calls?start_time={START}&group_by=vector_store_id",
    f"/organization/usage/web_search_calls?start_time={START}&group_by=context_level",
    "/organization/projects?include_archived=true",
    "/organization/projects/proj_SbxSupport/api_keys",
    "/organization/admin_api_keys",
    "/organization/users",
]


Validate = Callable[[requests.Response], None]


@pytest.fixture(scope="module")
def validate(served: tuple[Flask, str]) -> Validate:
    """Raises when an answer of the sandbox breaks OpenAI's specification."""
    described = json.loads(text_of("specs/openai-admin.openapi.json"))
    rules = OpenAPI.from_dict({**described, "servers": [{"url": f"{served[1]}/openai/v1"}]})

    def check(answer: requests.Response) -> None:
        rules.validate_response(RequestsOpenAPIRequest(answer.request), RequestsOpenAPIResponse(answer))

    return check


@needs_shared
@pytest.mark.parametrize("path", PATHS)
def test_an_answer_of_the_sandbox_keeps_the_spec(validate: Validate, stand_in: StandIn, path: str):
    answer = stand_in.get(f"/openai/v1{path}")
    assert answer.status_code == 200
    assert answer.json()["data"]
    validate(answer)


@needs_shared
def test_a_rate_limit_of_the_sandbox_keeps_the_spec(validate: Validate, stand_in: StandIn):
    answer = stand_in.get("/openai/v1/organization/costs?start_time=1", "sk-admin-sandbox-429")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    validate(answer)


@needs_shared
def test_the_validator_does_refuse_what_breaks_the_spec(validate: Validate, stand_in: StandIn):
    answer = stand_in.get(f"/openai/v1/organization/costs?start_time={START}", "sk-admin-sandbox-strings")
    with pytest.raises(OpenAPIError):
        validate(answer)


@needs_shared
@pytest.mark.parametrize(
    ("name", "path", "key"),
    [
        ("error_401_invalid_key", "/organization/costs", "sk-admin-sandbox-revoked"),
        ("error_403_scope_bare_string", "/organization/costs", "sk-admin-sandbox-noscope"),
        ("error_403_scope_object", "/organization/costs", "sk-admin-sandbox-noscope-object"),
        ("error_429", "/organization/costs", "sk-admin-sandbox-429-bare"),
        ("credit_grants_403_session_key", "/dashboard/billing/credit_grants", "sk-sandbox-session"),
    ],
)
def test_an_error_of_the_sandbox_is_the_recorded_one(stand_in: StandIn, name: str, path: str, key: str):
    answer = stand_in.get(f"/openai/v1{path}", key)
    assert answer.json() == example(f"openai/{name}.json")
    status = next((part for part in name.split("_") if part.isdigit()), None)
    assert str(answer.status_code) == status


@needs_shared
@pytest.mark.parametrize(("name", "fault"), [("error_401", "revoked"), ("error_429", "429-bare")])
def test_an_error_of_anthropics_sandbox_is_the_recorded_one(stand_in: StandIn, name: str, fault: str):
    headers = {"x-api-key": f"sk-ant-admin-sandbox-{fault}", "anthropic-version": "2023-06-01"}
    answer = requests.get(f"{stand_in.url}/anthropic/v1/organizations/cost_report", headers=headers, timeout=5)
    assert answer.json() == example(f"anthropic/{name}.json")


@needs_shared
@pytest.mark.parametrize(
    ("path", "name"), [("cost_report", "cost_report"), ("usage_report/messages", "usage_report_messages")]
)
def test_anthropics_sandbox_has_the_documented_fields(stand_in: StandIn, path: str, name: str):
    headers = {"x-api-key": "sk-ant-admin-sandbox", "anthropic-version": "2023-06-01"}
    url = f"{stand_in.url}/anthropic/v1/organizations/{path}?starting_at=2026-11-18T00:00:00Z&limit=1"
    page, documented = requests.get(url, headers=headers, timeout=5).json(), example(f"anthropic/{name}.json")
    assert page.keys() == documented.keys()
    assert page["data"][0].keys() == documented["data"][0].keys()
    assert page["data"][0]["results"][0].keys() == documented["data"][0]["results"][0].keys()


# What must be shown on live answers: these sums, to the nano-dollar, each row rounded half-even once.
LIVE_COSTS_NANO = {
    "2025-01-21": 632_036_368,
    "2025-01-22": 52_415_587_618,
    "2025-01-23": 104_887_612_353,
    "2025-01-24": 337_603_039,
    "2025-01-25": 62_551_043,
    "2025-01-26": 321_957,
    "2025-01-27": 308_421,
}
LIVE_SUM_NANO = 158_336_020_799
OBSERVED_STRINGS_NANO = [4_200_000, 12_500_000_000, 0, 100]


@needs_shared
def test_live_answers_served_page_by_page_are_exact_to_the_nano_dollar(stand_in: StandIn):
    pages: list[object] = [
        text_of("examples/openai/observed_string_amounts.json"),
        text_of("examples/openai/live_2025_costs_page.json"),
    ]
    stand_in.script(pages)
    found = list(stand_in.openai().costs(TODAY, TODAY + timedelta(days=1)))
    assert len(stand_in.calls()) == 2
    assert [row.amount_nano for row in found[0].rows] == OBSERVED_STRINGS_NANO
    by_day = {str(one.day): sum(row.amount_nano for row in one.rows) for one in found[1:]}
    assert by_day == LIVE_COSTS_NANO
    assert sum(by_day.values()) == LIVE_SUM_NANO
    assert found[0].rows[0].line_item == "gpt-5.6-luna, input"
    assert found[0].rows[0].quantity == Decimal(4200)


@needs_shared
def test_live_usage_answers_are_read_whole(stand_in: StandIn):
    page: list[object] = [text_of("examples/openai/live_2025_usage_completions_page.json")]
    stand_in.script(page, "/openai/v1/organization/usage/completions")
    found = list(stand_in.openai().usage("completions", TODAY, TODAY + timedelta(days=1)))
    assert [str(one.day) for one in found] == ["2025-01-11", "2025-01-12", "2025-01-13", "2025-01-20", "2025-01-21"]
    rows = [row for one in found for row in one.rows]
    assert found[3].rows == ()
    assert sum(row.input_tokens for row in rows) == 141_201 + 45_949 + 3_718_360 + 29_806
    assert sum(row.cached_tokens for row in rows) == 76_544
    assert sum(row.requests for row in rows) == 470 + 150 + 3_053 + 98


@needs_shared
@pytest.mark.parametrize("kind", OpenAIClient.usage_kinds)
def test_the_specs_own_example_of_each_usage_endpoint_is_read(stand_in: StandIn, kind: str):
    page = {**example(f"openai/spec_get_usage_{kind}.json"), "has_more": False, "next_page": None}
    stand_in.script([page], f"/openai/v1/organization/usage/{kind}")
    [found] = stand_in.openai().usage(kind, TODAY, TODAY + timedelta(days=1))
    assert str(found.day) == "2024-11-01"
    [row] = found.rows
    assert row.requests or row.quantity


@needs_shared
def test_the_recorded_balance_is_read(stand_in: StandIn):
    stand_in.script([text_of("examples/openai/credit_grants_200.json")], "/openai/v1/dashboard/billing/credit_grants")
    found = stand_in.openai("sk-sandbox").credit_grants()
    assert found.used_ever_nano == 628_454_500
    assert found.available_nano == 0, "the recorded grant has expired"


@pytest.fixture
def official(stand_in: StandIn) -> Iterator[openai.OpenAI]:
    """OpenAI's own client, pointed at the sandbox."""
    base_url = f"{stand_in.url}/openai/v1"
    with openai.OpenAI(admin_api_key="sk-admin-sandbox", api_key="x", base_url=base_url, max_retries=0) as client:
        yield client


def test_openais_own_client_reads_the_same_bill(stand_in: StandIn, official: openai.OpenAI):
    costs = official.admin.organization.usage.costs
    page = costs(start_time=START, end_time=START + 5 * 86_400, group_by=["project_id", "line_item", "api_key_id"])
    theirs = [
        (row.project_id, row.line_item, row.api_key_id, round(Decimal(str(row.amount.value)) * 10**9))
        for bucket in page.data
        for row in bucket.results
        if row.object == "organization.costs.result" and row.amount is not None
    ]
    first = clock.day_of(START)
    ours = [
        (row.project_id, row.line_item, row.api_key_id, row.amount_nano)
        for one in stand_in.openai().costs(first, first + timedelta(days=5))
        for row in one.rows
    ]
    assert ours == theirs
    assert len(ours) > 100


@pytest.mark.parametrize("kind", OpenAIClient.usage_kinds)
def test_openais_own_client_reads_each_usage_endpoint(official: openai.OpenAI, kind: str):
    endpoint = getattr(official.admin.organization.usage, kind)
    page = endpoint(start_time=START, end_time=START + 86_400, group_by=["project_id"])
    [bucket] = page.data
    assert bucket.results
    assert all(row.project_id for row in bucket.results)


def test_openais_own_client_reads_the_names(official: openai.OpenAI):
    projects = official.admin.organization.projects
    assert len([project.name for project in projects.list(include_archived=True, limit=4)]) == 6
    assert [key.name for key in projects.api_keys.list("proj_SbxSearch")] == ["search-prod"]


def test_openais_own_client_names_the_sandboxs_errors_alike(stand_in: StandIn):
    for key, kind in (
        ("sk-admin-sandbox-revoked", openai.AuthenticationError),
        ("sk-admin-sandbox-noscope", openai.PermissionDeniedError),
        ("sk-admin-sandbox-429-bare", openai.RateLimitError),
        ("sk-admin-sandbox-500", openai.InternalServerError),
    ):
        base_url = f"{stand_in.url}/openai/v1"
        with openai.OpenAI(admin_api_key=key, api_key="x", base_url=base_url, max_retries=0) as client:
            with pytest.raises(kind):
                client.admin.organization.usage.costs(start_time=START)


def test_openais_own_model_accepts_a_page_and_refuses_a_broken_one(stand_in: StandIn):
    page = stand_in.get(f"/openai/v1/organization/costs?start_time={START}{GROUPS}").json()
    UsageCostsResponse.model_validate(page)
    page["data"][0]["result"] = page["data"][0].pop("results")
    with pytest.raises(ValueError):
        UsageCostsResponse.model_validate(page)
