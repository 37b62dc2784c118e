"""The sandbox's LiteLLM as an admin API: its quirks through the real client, and what a key may at the chat door."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.providers.stand_in import NOW, StandIn
from tokenboard.providers.litellm_client import LiteLLMAdmin, key_token
from tokenboard.providers.litellm_errors import AlreadyThere, MasterKeyRefused, NotThere, ProxyUnavailable

SECRET = "sk-tb-0123456789abcdef"
USD = 10**9


@pytest.fixture
def proxy(stand_in: StandIn) -> LiteLLMAdmin:
    return LiteLLMAdmin(f"{stand_in.url}/litellm", "sk-sandbox-master")


def generate(proxy: LiteLLMAdmin, **more: Any):
    told = {"secret": SECRET, "alias": "tb-1", "user_id": "u", "max_budget_nano": None} | more
    return proxy.generate_key(**told)


def chat(stand_in: StandIn, secret: str = SECRET, **more: Any) -> requests.Response:
    body = {"model": "sandbox-swift", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20} | more
    heads = {"Authorization": f"Bearer {secret}"}
    return requests.post(f"{stand_in.url}/litellm/v1/chat/completions", json=body, headers=heads, timeout=5)


def refusal(told: requests.Response) -> tuple[int, str]:
    return told.status_code, told.json()["error"]["type"]


def test_a_key_is_known_by_its_hash_and_its_alias_is_its_own(proxy):
    made = generate(proxy, max_budget_nano=USD, models=["sandbox-swift"], expires_in_seconds=60)

    assert (made.token, made.alias, made.max_budget_nano) == (key_token(SECRET), "tb-1", USD)
    assert made.expires_at == NOW + timedelta(seconds=60)
    with pytest.raises(AlreadyThere):
        generate(proxy, secret="sk-tb-another-secret-0")
    assert proxy.key_by_alias("tb-1") == proxy.key_info(made.token) == proxy.keys()[made.token]
    assert proxy.keys_info([made.token, "f" * 64]) == {made.token: made}


def test_a_key_is_changed_blocked_and_forgotten(proxy, stand_in):
    token = generate(proxy, max_budget_nano=USD).token
    assert proxy.update_key(token, max_budget_nano=None, rpm_limit=1).max_budget_nano is None
    assert chat(stand_in).status_code == 200
    assert refusal(chat(stand_in)) == (429, "throttling_error")

    proxy.update_key(token, rpm_limit=None, models=["sandbox-sage"])
    assert refusal(chat(stand_in)) == (403, "key_model_access_denied")
    proxy.block_key(token)
    assert refusal(chat(stand_in)) == (401, "auth_error")
    proxy.unblock_key(token)
    proxy.update_key(token, models=[], duration="1s")
    stand_in.order("clock", {"now": (NOW + timedelta(seconds=5)).isoformat()})
    assert refusal(chat(stand_in)) == (401, "expired_key")

    proxy.delete_keys([token])
    proxy.delete_keys([token])
    assert refusal(chat(stand_in)) == (401, "token_not_found_in_db")
    with pytest.raises(NotThere):
        proxy.block_key(token)


def test_only_a_master_key_administers(proxy, stand_in):
    generate(proxy)
    with pytest.raises(MasterKeyRefused):
        LiteLLMAdmin(f"{stand_in.url}/litellm", SECRET).keys()


def test_spend_counts_for_key_user_and_customer_and_budgets_hold(proxy, stand_in):
    token = generate(proxy, max_budget_nano=0).token
    assert refusal(chat(stand_in)) == (422, "budget_exceeded")

    proxy.update_key(token, max_budget_nano=None)
    proxy.set_user_budget("u", 0)
    # Nothing spent yet is not past a budget of nothing: one more goes through.
    assert chat(stand_in, user="ada@example.com").status_code == 200
    assert refusal(chat(stand_in)) == (422, "budget_exceeded")

    spent = proxy.key_info(token).spend_nano
    assert spent > 0
    assert proxy.user_info("u").spend_nano == proxy.customer_info("ada@example.com").spend_nano == spent
    assert proxy.customer_info("ada@example.com").budget_id is None

    proxy.set_user_budget("u", None)
    proxy.set_customer_budget("ada@example.com", 0)
    assert proxy.customer_info("ada@example.com").max_budget_nano == 0
    assert refusal(chat(stand_in, user="ada@example.com")) == (422, "budget_exceeded")
    assert chat(stand_in).status_code == 200
    proxy.set_customer_budget("ada@example.com", USD)
    assert chat(stand_in, user="ada@example.com").status_code == 200
    assert proxy.customers()["ada@example.com"].max_budget_nano == USD


def test_what_the_customers_update_ignores(proxy, stand_in):
    proxy.set_customer_budget("ada@example.com", USD)
    master = {"Authorization": "Bearer sk-sandbox-master"}
    body = {"user_id": "ada@example.com", "max_budget": 0}

    told = requests.post(f"{stand_in.url}/litellm/customer/update", json=body, headers=master, timeout=5)
    assert told.json()["litellm_budget_table"]["max_budget"] == 1.0
    told = requests.post(f"{stand_in.url}/litellm/budget/update", json={"budget_id": "no"}, headers=master, timeout=5)
    assert (told.status_code, told.json()) == (200, None)


def test_the_log_is_late_and_read_page_by_page(proxy, stand_in):
    token = generate(proxy).token
    for _ in range(3):
        chat(stand_in, user="ada@example.com")
    ends = {"since": NOW - timedelta(minutes=1), "until": NOW + timedelta(minutes=1)}

    pages = [proxy.spend_logs(**ends, page=page, rows=2) for page in (1, 2, 3)]
    assert [page.rows for page in pages] == [2, 1, 0]
    first = pages[0].records[0]
    assert (first.key_hash, first.user_id, first.end_user) == (token, "u", "ada@example.com")
    assert sum(one.cost_nano for page in pages for one in page.records) == proxy.key_info(token).spend_nano

    stand_in.order("litellm/settings", {"log_delay_seconds": 10})
    assert proxy.spend_logs(**ends, page=1).rows == 0
    stand_in.order("clock", {"now": (NOW + timedelta(seconds=11)).isoformat()})
    assert proxy.spend_logs(**ends, page=1).rows == 3


def test_without_its_database_the_proxy_says_so_in_its_own_ways(proxy, stand_in):
    token = generate(proxy).token
    chat(stand_in)
    stand_in.order("litellm/settings", {"database_down": True})

    assert not proxy.is_ready()
    for ask in (lambda: proxy.key_info(token), lambda: proxy.update_key(token, rpm_limit=5), proxy.users):
        with pytest.raises(ProxyUnavailable):
            ask()
    assert chat(stand_in).status_code == 200  # the proxy remembers a key it has seen

    stand_in.order("litellm/settings", {"database_down": False})
    assert proxy.is_ready()


def test_it_can_begin_anew_and_be_edited_by_hand(proxy, stand_in):
    token = generate(proxy, max_budget_nano=USD).token
    stand_in.order("litellm/edit", {"kind": "key", "id": token, "changes": {"max_budget": 50.0, "blocked": True}})
    assert (proxy.key_info(token).max_budget_nano, proxy.key_info(token).is_blocked) == (50 * USD, True)

    stand_in.order("litellm/restart-empty", {})
    assert (proxy.keys(), proxy.users(), proxy.customers()) == ({}, {}, {})
