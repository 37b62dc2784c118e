"""The sandbox's LiteLLM: answers, limits, usage, pace, and the spend log beside them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.providers.raw_upstream import SHORT
from tests.providers.stand_in import StandIn, wait_for
from tokenboard.core import clock
from tokenboard.providers.chat_client import ChatCall, ChatClient, Piece, TokenUsage
from tokenboard.providers.chat_errors import ChatError, ContextTooLong, KeyRefused, ModelNotFound
from tokenboard.sandbox.spend_log import key_hash

CHAT = "/litellm/chat/completions"


def asked(text: str, model: str = "sandbox-swift", limit: int = 1_000, **more: Any) -> ChatCall:
    return ChatCall("call-1", model, [{"role": "user", "content": text}], limit, **more)


@pytest.fixture
def client(stand_in: StandIn) -> ChatClient:
    return ChatClient(f"{stand_in.url}/litellm/v1", "sk-sandbox", limits=SHORT)


def heard(client: ChatClient, call: ChatCall) -> tuple[str, list[Piece]]:
    with client.stream(call) as stream:
        pieces = list(stream)
    return "".join(piece.text for piece in pieces), pieces


def usage_in(pieces: list[Piece]) -> TokenUsage:
    (usage,) = (piece.usage for piece in pieces if piece.usage)  # it may come one read before the end
    return usage


def spend(stand_in: StandIn, **wanted: str) -> list[dict[str, Any]]:
    return requests.get(f"{stand_in.url}/_control/litellm/spend", params=wanted, timeout=5).json()["rows"]


@pytest.mark.parametrize(
    ("question", "mark"),
    [
        ("Write a Python function for invoices", "```python"),
        ("Compare cats and dogs in a table", "| --- |"),
        ("How do I plan a garden?", "1. **"),
        ("hello", "stand-in"),
        ("Why do rivers bend?", "rivers bend"),
        ("Give this conversation a title: rivers of Kenya", "Rivers kenya"),
    ],
)
def test_an_answer_fits_the_question_a_little(client: ChatClient, question: str, mark: str):
    text, pieces = heard(client, asked(question))

    assert mark in text
    assert text == client.complete(asked(question)).text
    assert pieces[-1].is_done


def test_an_answer_can_be_dictated(client: ChatClient):
    assert heard(client, asked("/say **exactly** this"))[0] == "**exactly** this"
    assert heard(client, asked("/words 3"))[0] == "word1 word2 word3"


@pytest.mark.parametrize(("limit", "reason"), [(5, "length"), (10, "stop")])
def test_the_limit_is_kept_and_the_reason_says_so(client: ChatClient, limit: int, reason: str):
    _, pieces = heard(client, asked("/words 10", limit=limit))

    assert usage_in(pieces).completion_tokens == limit
    assert [piece.finish_reason for piece in pieces if piece.finish_reason] == [reason]


def test_the_price_of_a_call_stands_in_its_usage_and_in_the_log(stand_in: StandIn, client: ChatClient):
    call = asked("/words 10", end_user="alice@example.com", headers={"x-litellm-spend-logs-metadata": '{"a": 1}'})

    usage = usage_in(heard(client, call)[1])

    assert usage.cost_nano_usd == usage.prompt_tokens * 150 + 10 * 600
    row = wait_for(lambda: spend(stand_in, call_id="call-1", end_user="alice@example.com"))
    assert (row["end_user"], row["status"], row["model_group"]) == ("alice@example.com", "success", "sandbox-swift")
    assert (row["prompt_tokens"], row["completion_tokens"]) == (usage.prompt_tokens, 10)
    assert round(row["spend"] * 10**9) == usage.cost_nano_usd
    assert row["api_key"] == key_hash("sk-sandbox")
    assert row["metadata"]["spend_logs_metadata"] == {"a": 1}
    assert row["request_id"].startswith("chatcmpl-")


def test_a_client_that_leaves_is_billed_for_what_was_sent(stand_in: StandIn, client: ChatClient):
    with client.stream(asked("/words 100", "sandbox-slow")) as stream:
        next(stream)

    row = wait_for(lambda: spend(stand_in, call_id="call-1"))
    assert (row["status"], row["metadata"]["error_information"]["error_code"]) == ("success", "499")
    assert 0 <= row["completion_tokens"] < 20


def test_a_failure_is_in_the_log_under_the_calls_own_id(stand_in: StandIn, client: ChatClient):
    for model in ("fault-500", "fault-error"):
        with pytest.raises(ChatError):
            heard(client, ChatCall(model, model, [], 100))
        wait_for(lambda: spend(stand_in, call_id=model))  # noqa: B023 - asked at once

    assert [(row["request_id"], row["status"]) for row in spend(stand_in, status="failure")] == [
        ("fault-500", "failure"),
        ("fault-error", "failure"),
    ]
    assert spend(stand_in, call_id="fault-500")[0]["spend"] == 0
    assert spend(stand_in, call_id="fault-error")[0]["spend"] > 0


def test_a_conversation_that_goes_on_finds_its_beginning_cached(client: ChatClient):
    first = {"role": "user", "content": "rivers and mountains " * 30}
    told = client.complete(ChatCall("c1", "sandbox-sage", [first], 50))
    again = [first, {"role": "assistant", "content": told.text}, {"role": "user", "content": "And then?"}]

    usage = client.complete(ChatCall("c2", "sandbox-sage", again, 50)).usage

    assert told.usage.cached_tokens == 0
    assert 0 < usage.cached_tokens < usage.prompt_tokens
    dear, cheap = usage.prompt_tokens - usage.cached_tokens, usage.cached_tokens
    assert usage.cost_nano_usd == dear * 2_500 + cheap * 250 + usage.completion_tokens * 10_000


def test_a_thinking_model_bills_its_thoughts(client: ChatClient):
    text, pieces = heard(client, asked("Why do rivers bend?", "sandbox-thinker"))
    short_text, short = heard(client, asked("Why do rivers bend?", "sandbox-thinker", limit=10))

    usage = usage_in(pieces)
    assert 0 < usage.reasoning_tokens < usage.completion_tokens
    assert "".join(piece.reasoning for piece in pieces)
    assert text
    assert (short_text, usage_in(short).reasoning_tokens) == ("", 10), "all it may write went into thoughts"


def test_what_does_not_fit_is_refused(client: ChatClient):
    with pytest.raises(ContextTooLong):
        client.stream(asked("word " * 2_000, "sandbox-pocket"))


@pytest.mark.parametrize(("key", "kind"), [("", KeyRefused), ("sk-other", KeyRefused), ("sk-sandbox-b", ModelNotFound)])
def test_a_key_is_looked_at_first(stand_in: StandIn, key: str, kind: type[ChatError]):
    with pytest.raises(kind):
        ChatClient(f"{stand_in.url}/litellm", key, limits=SHORT).stream(asked("hi", "no-such-model"))


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"model": "sandbox-swift", "messages": "hi"},
        {"model": "sandbox-swift", "messages": ["hi"]},
        {"model": "sandbox-swift", "messages": [], "max_completion_tokens": 0},
        {"model": "sandbox-embed", "messages": []},
        {"model": 7},
    ],
)
def test_a_request_that_makes_no_sense_is_refused_as_litellm_does(stand_in: StandIn, body: Any):
    told = requests.post(stand_in.url + CHAT, json=body, headers={"Authorization": "Bearer sk-sandbox"}, timeout=5)

    assert (told.status_code, told.json()["error"]["code"]) == (400, "400")


def test_models_are_priced_free_or_unpriced(stand_in: StandIn, client: ChatClient):
    models = {model.id: model for model in client.models()}

    assert (models["sandbox-free"].input_nano_per_mtok, models["sandbox-free"].output_nano_per_mtok) == (0, 0)
    assert models["sandbox-unpriced"].input_nano_per_mtok is None
    assert models["sandbox-embed"].mode == "embedding"
    assert not [name for name in models if name.startswith("fault-")]
    stand_in.order("litellm/settings", {"lists_faults": True})
    assert "fault-cut" in {model.id for model in client.models()}


def test_the_pace_is_set_by_order(stand_in: StandIn, client: ChatClient):
    stand_in.order("litellm/settings", {"pace_seconds": 0.01})
    begun = clock.monotonic()

    heard(client, asked("/words 20"))

    assert clock.monotonic() - begun >= 0.2


@pytest.mark.parametrize("path", ["/litellm", CHAT])
def test_a_fault_can_be_ordered_for_any_model(stand_in: StandIn, client: ChatClient, path: str):
    stand_in.order("faults", {"path": "/litellm", "fault": "fault-503", "times": 1})
    with pytest.raises(ChatError):
        client.stream(asked("hi"))

    assert heard(client, asked("hi"))[0]


def test_embeddings_cost_their_input(client: ChatClient):
    answer = client.embed({"model": "sandbox-embed", "input": ["one", "two words"]}, "call-9")

    assert [len(entry["embedding"]) for entry in answer.body["data"]] == [8, 8]
    assert answer.usage.prompt_tokens == 3
    assert answer.usage.cost_nano_usd == 60
    assert answer.headers["x-litellm-call-id"] == "call-9"


def test_its_health_needs_no_key(stand_in: StandIn):
    assert requests.get(f"{stand_in.url}/litellm/health/liveliness", timeout=5).json() == "I'm alive!"
    assert requests.get(f"{stand_in.url}/litellm/health/readiness", timeout=5).json()["db"] == "connected"
