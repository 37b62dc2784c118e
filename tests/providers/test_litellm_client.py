"""The admin API's answers as a running proxy gave them, read by the real client; and what the client asks."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import responses

from tokenboard.providers import litellm_answers as answers
from tokenboard.providers.litellm_client import LiteLLMAdmin, key_token
from tokenboard.providers.litellm_errors import (
    AlreadyThere,
    LiteLLMError,
    MasterKeyRefused,
    NotThere,
    ProxyBadAnswer,
    ProxyRefused,
    ProxyUnavailable,
    refusal,
)

PROXY = "http://proxy.test"
MASTER_KEY = "sk-master-Zt7Qx2Lm9Vb4"
SHARED = Path(os.environ.get("TOKENBOARD_SHARED", "-")) / "examples" / "litellm"


def captured(name: str) -> dict:
    """A request and answer seen on a running proxy."""
    path = SHARED / f"{name}.json"
    if not path.is_file():
        pytest.skip("the captured answers of a proxy are not here (TOKENBOARD_SHARED)")
    return json.loads(path.read_text(), parse_float=Decimal)


@pytest.fixture
def proxy() -> LiteLLMAdmin:
    return LiteLLMAdmin(PROXY, MASTER_KEY, retries=1)


def asked(number: int = -1) -> dict:
    return json.loads(responses.calls[number].request.body)


REFUSALS = [
    ("admin/key_generate_dup_alias", AlreadyThere),
    ("admin/customer_new_dup", AlreadyThere),
    ("admin/user_new_dup", AlreadyThere),
    ("admin/budget_new_dup", AlreadyThere),
    ("admin/key_info_missing", NotThere),
    ("admin/key_update_missing", NotThere),
    ("admin/key_delete_again", NotThere),
    ("admin/customer_info_missing", NotThere),
    ("admin/user_info_missing", NotThere),
    ("admin/key_generate_with_virtual_key", MasterKeyRefused),
    ("admin/v2_logs_as_virtual_key", MasterKeyRefused),
    ("admin/bad_body", ProxyRefused),
    ("admin/key_update_neg", ProxyRefused),
    ("admin/key_regenerate", ProxyRefused),
    ("admin/v2_logs_iso", ProxyRefused),
    ("admin/dbdown_key_update", ProxyUnavailable),
    ("admin/dbdown_key_info", ProxyUnavailable),
    ("admin/dbdown_customer_info", ProxyUnavailable),
    ("admin/dbdown_spend_logs", ProxyUnavailable),
    ("admin/dbdown_chat_uncached_key", ProxyUnavailable),
    ("admin/customer_block", ProxyUnavailable),
]


@pytest.mark.parametrize(("name", "kind"), REFUSALS)
def test_a_refusal_seen_on_a_proxy_gets_its_name(name, kind):
    found = captured(name)

    assert type(refusal(found["status"], found["response"])) is kind


def test_only_what_waiting_can_mend_is_retryable():
    retryable = {kind for _, kind in REFUSALS if kind.is_retryable}

    assert retryable == {ProxyUnavailable}


def test_a_refusal_repeats_no_key():
    error = refusal(400, {"error": {"message": f"bad key {MASTER_KEY} and sk-tb-abcdefgh", "type": "x"}}, MASTER_KEY)

    assert "Zt7Qx2Lm9Vb4" not in str(error)
    assert "abcdefgh" not in str(error)


def test_a_key_is_read_from_every_answer_that_holds_one():
    made = answers.key(captured("admin/key_generate")["response"])
    changed = answers.key(captured("admin/key_update")["response"])
    told = captured("admin/key_info_by_hash")["response"]
    info = answers.key(told["info"], told["key"])

    assert made.token == changed.token == info.token
    assert (made.max_budget_nano, changed.max_budget_nano) == (5_000_000_000, 7_500_000_000)
    assert info.alias == "tb-1795192687"
    assert info.models == ("mock-gpt", "fake-gpt")
    assert info.expires_at == datetime(2027, 2, 18, 16, 38, 7, 685000, tzinfo=UTC)
    assert (info.is_blocked, changed.rpm_limit) == (False, 50)


def test_a_customer_is_read_with_its_own_budget():
    found = answers.customer(captured("admin/customer_info")["response"])

    assert (found.user_id, found.max_budget_nano) == ("ada+1795192688@example.com", 100_000)
    assert found.budget_id == "4884e08d-3df1-4412-bce4-001bc0218404"


def test_both_forms_of_a_user_are_read():
    assert answers.user(captured("admin/user_info")["response"]).max_budget_nano == 40_000
    assert answers.user(captured("admin/user_new")["response"]).max_budget_nano == 5_000_000_000


@responses.activate
def test_a_key_travels_in_the_body_and_its_budget_in_dollars(proxy):
    responses.post(f"{PROXY}/key/generate", json={"token": key_token("sk-tb-1"), "key": "sk-tb-1", "max_budget": 1.5})

    made = proxy.generate_key(secret="sk-tb-1", alias="tb-1-1", user_id="w1", max_budget_nano=1_500_000_000)

    assert made.token == key_token("sk-tb-1")
    assert asked()["key"] == "sk-tb-1"
    assert asked()["max_budget"] == 1.5
    assert "sk-tb-1" not in responses.calls[0].request.url


@responses.activate
def test_no_limit_is_null_and_zero_is_zero(proxy):
    responses.post(f"{PROXY}/key/update", json={"token": "t"})

    proxy.update_key("t", max_budget_nano=None)
    assert asked()["max_budget"] is None
    proxy.update_key("t", max_budget_nano=0)
    assert asked()["max_budget"] == 0


@responses.activate
def test_making_a_key_is_not_repeated_by_itself(proxy):
    responses.post(f"{PROXY}/key/generate", status=503, json={"error": {"message": "down", "type": "x"}})

    with pytest.raises(ProxyUnavailable):
        proxy.generate_key(secret="sk-tb-1", alias="tb-1-1", user_id="w1", max_budget_nano=None)

    assert len(responses.calls) == 1


@responses.activate
def test_an_absolute_budget_is_asked_for_again_when_the_database_was_away(proxy):
    gone = {"error": {"message": "Authentication Error, Can't reach database server at `x`", "type": "auth_error"}}
    responses.post(f"{PROXY}/key/update", status=400, json=gone)
    responses.post(f"{PROXY}/key/update", json={"token": "t", "max_budget": 2})

    assert proxy.update_key("t", max_budget_nano=2_000_000_000).max_budget_nano == 2_000_000_000


@responses.activate
def test_a_persons_budget_may_be_zero_and_is_written_to_their_own_row(proxy):
    info = {"user_id": "ada@example.com", "budget_id": "b1", "litellm_budget_table": {"max_budget": 3}}
    responses.get(f"{PROXY}/customer/info", json=info)
    responses.post(f"{PROXY}/budget/update", json={"budget_id": "b1"})

    proxy.set_customer_budget("ada@example.com", 0)

    assert asked() == {"budget_id": "b1", "max_budget": 0}


@responses.activate
def test_a_customer_made_by_traffic_gets_a_budget_row_first(proxy):
    responses.get(f"{PROXY}/customer/info", json={"user_id": "ada@example.com", "budget_id": None})
    responses.post(f"{PROXY}/customer/update", json={"user_id": "ada@example.com", "budget_id": "b2"})
    responses.post(f"{PROXY}/budget/update", json={"budget_id": "b2"})

    proxy.set_customer_budget("ada@example.com", 2_000_000_000)

    assert asked() == {"budget_id": "b2", "max_budget": 2}


@responses.activate
def test_a_budget_row_that_is_gone_is_told(proxy):
    info = {"user_id": "ada@example.com", "budget_id": "b1", "litellm_budget_table": {"max_budget": 3}}
    responses.get(f"{PROXY}/customer/info", json=info)
    responses.post(f"{PROXY}/budget/update", body="null")

    with pytest.raises(NotThere):
        proxy.set_customer_budget("ada@example.com", 1)


@responses.activate
def test_a_user_that_exists_is_changed(proxy):
    responses.post(
        f"{PROXY}/user/new", status=409, json={"error": {"message": "{'error': 'User with id w already exists'}"}}
    )
    responses.post(f"{PROXY}/user/update", json={"user_id": "w"})

    proxy.set_user_budget("w", 4_000_000_000)

    assert asked() == {"user_id": "w", "max_budget": 4}


@responses.activate
def test_deleting_what_is_gone_is_done(proxy):
    responses.post(f"{PROXY}/key/delete", status=404, json={"error": {"message": "{'error': 'No keys found'}"}})

    proxy.delete_keys(["t"])


@responses.activate
@pytest.mark.parametrize("body", ["<html>", "[1]", '{"token": 5}'])
def test_an_answer_that_is_none_is_a_bad_answer(proxy, body):
    responses.post(f"{PROXY}/key/update", body=body)

    with pytest.raises(ProxyBadAnswer):
        proxy.update_key("t", rpm_limit=1)


@responses.activate
def test_a_page_of_the_spend_log_is_asked_for_in_the_form_the_proxy_reads(proxy):
    responses.get(f"{PROXY}/spend/logs/v2", json={"data": [{"request_id": "no time"}], "total": 1})
    at = datetime(2026, 11, 20, 16, 0, 0, tzinfo=UTC)

    page = proxy.spend_logs(since=at, until=at + timedelta(hours=1), page=1)

    assert "start_date=2026-11-20+16%3A00%3A00" in responses.calls[0].request.url
    assert (page.records, page.rows, page.unreadable) == ((), 1, 1)


@responses.activate
def test_readiness_needs_the_database(proxy):
    responses.get(f"{PROXY}/health/readiness", json={"status": "healthy", "db": "connected"})
    assert proxy.is_ready()
    responses.replace(responses.GET, f"{PROXY}/health/readiness", json={"db": "disconnected"}, status=503)
    assert not proxy.is_ready()


def test_every_error_says_what_happens_next_without_a_key():
    kinds = LiteLLMError.__subclasses__()

    assert all(kind().user_message.endswith(".") for kind in kinds)
