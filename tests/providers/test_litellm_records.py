"""Spend records of both feeds, as a running proxy sent them."""

from __future__ import annotations

import pytest

from tests.providers.test_litellm_client import captured
from tokenboard.providers.litellm_records import callback_record, logged_record
from tokenboard.providers.reading import Unreadable


def payload(name: str) -> dict:
    return captured(f"generic_api/{name}")


CALLBACKS = [
    # name, success, cost in nano-USD, tokens in and out, error code
    ("stream_success", True, 31_500, (12, 50), ""),
    ("client_disconnect", True, 30_600, (8, 49), "499"),
    ("midstream_error", False, 13_950, (9, 21), "server_error"),
    ("budget_exceeded", False, 0, (0, 0), "422"),
    ("bad_key", False, 0, (0, 0), "401"),
    ("key_blocked", False, 0, (0, 0), ""),
    ("rate_limited", False, 0, (0, 0), "429"),
    ("upstream_500", False, 0, (0, 0), "500"),
    ("upstream_429", False, 0, (0, 0), "429"),
]


@pytest.mark.parametrize(("name", "is_success", "cost_nano", "tokens", "code"), CALLBACKS)
def test_a_callback_record_says_what_it_cost(name, is_success, cost_nano, tokens, code):
    found = callback_record(payload(name))

    assert (found.is_success, found.cost_nano) == (is_success, cost_nano)
    assert (found.prompt_tokens, found.completion_tokens) == tokens
    assert found.error_code == code
    assert not found.is_odd


def test_a_callback_record_names_whom_it_concerns():
    found = callback_record(payload("stream_success"))

    assert found.request_id == "chatcmpl-fake-80d302d511286ee8"
    assert found.call_id == "cap-stream_success-1795192019"
    assert found.key_hash == "e3f9b5b87d83ed5661c1da2f3c4e0737ee49407151362bf4ffac77bb4e8730e1"
    assert (found.user_id, found.end_user, found.model) == ("tb-user-2", "ada@example.com", "fake-gpt")
    assert found.cached_tokens == 4
    assert found.marks == (("tb_ref", "stream_success"),)


def test_rows_of_the_spend_log_are_read_the_same_way():
    rows = captured("admin/spend_logs_v2")["response"]["data"]
    found = [logged_record(row) for row in rows]

    assert all(one.key_hash and one.request_id for one in found)
    assert {one.error_code for one in found} >= {"422", "401"}


def test_a_number_that_cannot_be_counts_as_nothing_and_is_told():
    row = {"id": "r", "startTime": 1795192021, "prompt_tokens": -5, "response_cost": "NaN", "status": "success"}

    found = callback_record(row)

    assert (found.prompt_tokens, found.cost_nano, found.is_odd) == (0, 0, True)


@pytest.mark.parametrize("row", [{}, {"id": "r"}, {"id": 5, "startTime": 1795192021}, {"startTime": 1795192021}])
def test_a_record_without_id_or_time_is_none(row):
    with pytest.raises(Unreadable):
        callback_record(row)
