"""The sandbox's admin API before two judges: the answers recorded from a running LiteLLM, and its OpenAPI file."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from tests.contract.shapes import missing_keys
from tests.contract.shared import example, needs_shared
from tests.providers.stand_in import StandIn
from tokenboard.providers.litellm_client import key_token

pytestmark = pytest.mark.xdist_group("litellm spec")
SECRET = "sk-tb-0123456789abcdef"
TOKEN = key_token(SECRET)
MASTER = {"Authorization": "Bearer sk-sandbox-master"}
PEOPLE = "ada@example.com"
# Parts of other features, deeper than what is asked here.
UNSAID = ("litellm_budget_table.", "router_settings.", "metadata.", "models[]")


def ask(stand_in: StandIn, method: str, path: str, body: Any = None, **query: Any):
    url = f"{stand_in.url}/litellm{path}"
    return requests.request(method, url, params=query, json=body, headers=MASTER, timeout=5)


@pytest.fixture
def world(stand_in: StandIn) -> StandIn:
    """A key, a user and a customer."""
    made = {"key": SECRET, "key_alias": "tb-1", "user_id": "u", "max_budget": 5.0, "models": []}
    ask(stand_in, "POST", "/key/generate", made)
    ask(stand_in, "POST", "/user/new", {"user_id": "u", "auto_create_key": False})
    ask(stand_in, "POST", "/customer/new", {"user_id": PEOPLE, "max_budget": 1.0})
    return stand_in


def budget_id(stand_in: StandIn) -> str:
    return str(ask(stand_in, "GET", "/customer/info", end_user_id=PEOPLE).json()["budget_id"])


# name of the recording, method, path, body, query
CALLS: list[tuple[str, str, str, Any, dict[str, Any]]] = [
    ("key_generate", "POST", "/key/generate", {"key_alias": "tb-2"}, {}),
    ("key_update", "POST", "/key/update", {"key": TOKEN, "max_budget": 7.5}, {}),
    ("key_update_unset_budget", "POST", "/key/update", {"key": TOKEN, "max_budget": None}, {}),
    ("key_info_by_hash", "GET", "/key/info", None, {"key": TOKEN}),
    ("key_info_by_key", "GET", "/key/info", None, {"key": SECRET}),
    ("key_bulk_info", "POST", "/v2/key/info", {"keys": [TOKEN]}, {}),
    ("key_list", "GET", "/key/list", None, {"page": 1, "size": 2}),
    ("key_list_full", "GET", "/key/list", None, {"page": 1, "size": 2, "return_full_object": "true"}),
    ("key_block", "POST", "/key/block", {"key": TOKEN}, {}),
    ("key_unblock", "POST", "/key/unblock", {"key": TOKEN}, {}),
    ("key_delete", "POST", "/key/delete", {"keys": [TOKEN]}, {}),
    ("user_new", "POST", "/user/new", {"user_id": "v", "auto_create_key": False}, {}),
    ("user_update", "POST", "/user/update", {"user_id": "u", "max_budget": 1.0}, {}),
    ("user_info", "GET", "/user/info", None, {"user_id": "u"}),
    ("user_list", "GET", "/user/list", None, {"page": 1, "page_size": 2}),
    ("customer_new", "POST", "/customer/new", {"user_id": "bob@example.com", "max_budget": 1.0}, {}),
    ("customer_update", "POST", "/customer/update", {"user_id": PEOPLE, "max_budget": 2.0}, {}),
    ("customer_info", "GET", "/customer/info", None, {"end_user_id": PEOPLE}),
    ("customer_list", "GET", "/customer/list", None, {}),
    ("budget_update_missing", "POST", "/budget/update", {"budget_id": "nope", "max_budget": 20}, {}),
    ("spend_logs_v2", "GET", "/spend/logs/v2", None, {"start_date": "2026-11-20", "end_date": "2026-11-21"}),
]


@needs_shared
@pytest.mark.parametrize(("name", "method", "path", "body", "query"), CALLS, ids=[one[0] for one in CALLS])
def test_an_answer_has_the_recorded_keys_and_keeps_the_spec(
    world: StandIn, rules: OpenAPI, name: str, method: str, path: str, body: Any, query: dict[str, Any]
):
    theirs = example(f"litellm/admin/{name}.json")
    told = ask(world, method, path, body, **query)

    assert told.status_code == theirs["status"] == 200
    lost = missing_keys(theirs["response"], told.json())
    assert [one for one in lost if not any(part in f"{one}." for part in UNSAID)] == []
    if path != "/v2/key/info":  # which the file does not describe
        rules.validate_response(RequestsOpenAPIRequest(told.request), RequestsOpenAPIResponse(told))


@needs_shared
def test_a_customers_budget_row_is_answered_whole(world: StandIn):
    theirs = example("litellm/admin/budget_update_customer_budget.json")
    told = ask(world, "POST", "/budget/update", {"budget_id": budget_id(world), "max_budget": 0})

    assert (told.status_code, told.json()["max_budget"]) == (200, 0)
    assert missing_keys(theirs["response"], told.json()) == []


REFUSALS: list[tuple[str, str, str, Any, dict[str, Any]]] = [
    ("key_generate_dup_alias", "POST", "/key/generate", {"key_alias": "tb-1"}, {}),
    ("key_update_missing", "POST", "/key/update", {"key": "sk-nope", "max_budget": 1}, {}),
    ("key_update_neg", "POST", "/key/update", {"key": TOKEN, "max_budget": -1}, {}),
    ("key_info_missing", "GET", "/key/info", None, {"key": "deadbeef"}),
    ("key_delete_again", "POST", "/key/delete", {"keys": ["f" * 64]}, {}),
    ("user_new_dup", "POST", "/user/new", {"user_id": "u"}, {}),
    ("user_info_missing", "GET", "/user/info", None, {"user_id": "nobody"}),
    ("customer_new_dup", "POST", "/customer/new", {"user_id": PEOPLE}, {}),
    ("customer_info_missing", "GET", "/customer/info", None, {"end_user_id": "nobody@x"}),
    ("customer_update_missing", "POST", "/customer/update", {"user_id": "nobody@x", "max_budget": 1}, {}),
    ("spend_logs_v2_nodate", "GET", "/spend/logs/v2", None, {"page": 1}),
    ("v2_logs_iso", "GET", "/spend/logs/v2", None, {"start_date": "2026-11-20T16:09:00Z", "end_date": "2026-11-21"}),
]


@needs_shared
@pytest.mark.parametrize(("name", "method", "path", "body", "query"), REFUSALS, ids=[one[0] for one in REFUSALS])
def test_a_refusal_has_the_recorded_status_type_and_code(
    world: StandIn, name: str, method: str, path: str, body: Any, query: dict[str, Any]
):
    theirs = example(f"litellm/admin/{name}.json")
    told = ask(world, method, path, body, **query)

    assert told.status_code == theirs["status"]
    ours, recorded = told.json()["error"], theirs["response"]["error"]
    assert [ours[key] for key in ("type", "param", "code")] == [recorded[key] for key in ("type", "param", "code")]


@needs_shared
def test_input_that_cannot_be_is_refused_in_the_other_family(world: StandIn):
    told = ask(world, "GET", "/key/list", page=0, size=10)
    theirs = example("litellm/admin/key_list_bad_page.json")

    assert told.status_code == theirs["status"] == 422
    assert [one["type"] for one in told.json()["detail"]] == [one["type"] for one in theirs["response"]["detail"]]


@needs_shared
@pytest.mark.parametrize(
    ("name", "method", "path", "body", "query"),
    [
        ("dbdown_key_update", "POST", "/key/update", {"key": TOKEN, "max_budget": 2}, {}),
        ("dbdown_key_info", "GET", "/key/info", None, {"key": TOKEN}),
        ("dbdown_customer_info", "GET", "/customer/info", None, {"end_user_id": "x"}),
        ("dbdown_spend_logs", "GET", "/spend/logs/v2", None, {"start_date": "2026-11-20", "end_date": "2026-11-21"}),
    ],
)
def test_a_missing_database_is_said_as_recorded(
    world: StandIn, name: str, method: str, path: str, body: Any, query: dict[str, Any]
):
    world.order("litellm/settings", {"database_down": True})
    theirs = example(f"litellm/admin/{name}.json")
    told = ask(world, method, path, body, **query)

    assert (told.status_code, told.json()["error"]["type"]) == (theirs["status"], theirs["response"]["error"]["type"])
    assert "Can't reach database server" in told.json()["error"]["message"]
