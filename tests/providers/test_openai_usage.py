"""OpenAI's usage endpoints, each read in its own terms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.providers.stand_in import TODAY, TOMORROW, StandIn, bucket_on, day, page_of
from tokenboard.core import clock
from tokenboard.providers.costs import UsageRow
from tokenboard.providers.errors import BadAnswer
from tokenboard.providers.openai_client import OpenAIClient

USAGE = [
    ("completions", {"input_tokens": 100, "input_cached_tokens": 40, "input_audio_tokens": 9, "output_tokens": 7,
                     "num_model_requests": 3}, UsageRow("completions", "p", "m", "k", 3, 100, 40, 7)),
    ("embeddings", {"input_tokens": 5, "num_model_requests": 2}, UsageRow("embeddings", "p", "m", "k", 2, 5)),
    ("moderations", {"input_tokens": 5, "num_model_requests": 2}, UsageRow("moderations", "p", "m", "k", 2, 5)),
    ("images", {"images": 4, "num_model_requests": 2}, UsageRow("images", "p", "m", "k", 2, quantity=4, unit="images")),
    ("audio_speeches", {"characters": 45, "num_model_requests": 1},
     UsageRow("audio_speeches", "p", "m", "k", 1, quantity=45, unit="characters")),
    ("audio_transcriptions", {"seconds": 20, "num_model_requests": 1},
     UsageRow("audio_transcriptions", "p", "m", "k", 1, quantity=20, unit="seconds")),
    ("vector_stores", {"usage_bytes": 1024}, UsageRow("vector_stores", "p", "m", "k", quantity=1024, unit="bytes")),
    ("code_interpreter_sessions", {"num_sessions": 1},
     UsageRow("code_interpreter_sessions", "p", "m", "k", quantity=1, unit="sessions")),
    ("file_search_calls", {"num_requests": 2},
     UsageRow("file_search_calls", "p", "m", "k", 2, quantity=2, unit="calls")),
    ("web_search_calls", {"num_model_requests": 2, "num_requests": 5},
     UsageRow("web_search_calls", "p", "m", "k", 2, quantity=5, unit="calls")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "counts", "expected"), USAGE, ids=[row[0] for row in USAGE])
def test_each_usage_endpoint_is_read_in_its_own_terms(
    stand_in: StandIn, kind: str, counts: dict[str, int], expected: UsageRow
):
    result = {"object": "x", "project_id": "p", "model": "m", "api_key_id": "k", **counts}
    stand_in.script([page_of(bucket_on("2026-11-01", result))], f"/openai/v1/organization/usage/{kind}")
    [found] = stand_in.openai().usage(kind, TODAY, TOMORROW)
    assert found.rows == (expected,)


@pytest.mark.parametrize("kind", OpenAIClient.usage_kinds)
def test_the_sandbox_answers_each_usage_endpoint_with_31_days_a_page(stand_in: StandIn, kind: str):
    start = TOMORROW - timedelta(days=62)
    found = list(stand_in.openai().usage(kind, start, TOMORROW))
    assert [one.day for one in found] == clock.days_between(start, TODAY)
    assert len(stand_in.calls()) == 2
    assert found[0].rows
    assert all(row.kind == kind for one in found for row in one.rows)


@pytest.mark.parametrize("count", [-1, "5", 1.5, True, 2**63, [], {}])
def test_a_count_that_is_none_is_refused(stand_in: StandIn, count: object):
    path = "/openai/v1/organization/usage/embeddings"
    stand_in.script([page_of(bucket_on("2026-11-01", {"input_tokens": count, "num_model_requests": 1}))], path)
    with pytest.raises(BadAnswer, match="embeddings usage of 2026-11-01"):
        list(stand_in.openai().usage("embeddings", TODAY, TOMORROW))


def test_a_clipped_first_bucket_is_keyed_by_its_utc_day(stand_in: StandIn):
    path = "/openai/v1/organization/usage/completions"
    stand_in.script([page_of({"start_time": 1736616660, "end_time": 1736640000, "results": []})], path)
    [found] = stand_in.openai().usage("completions", TODAY, TOMORROW)
    assert found.day == day("2025-01-11")
