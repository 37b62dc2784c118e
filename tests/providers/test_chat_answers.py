"""Answers that are none, whole answers, and lists of models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.shared import example, needs_shared, text_of as shared_text
from tests.providers.raw_upstream import CALL, SHORT, STREAM_HEAD, RawUpstream, chunk, failing, plain
from tokenboard.providers import chat_errors as errors
from tokenboard.providers.chat_client import ChatClient, ModelInfo, TokenUsage


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (plain(b"text/html", b"<h1>Welcome</h1>"), errors.ChatBadAnswer),
        (plain(b"application/json", b"{}"), errors.ChatBadAnswer),
        (plain(b"application/json", b'{"error": {"message": "no", "code": "429"}}'), errors.ChatRateLimited),
        (plain(b"text/event-stream", b"x" * 50, b"Content-Encoding: gzip\r\n"), errors.ChatBadAnswer),
        (plain(b"text/event-stream", b""), errors.ChatBadAnswer),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            errors.ChatBadAnswer,
        ),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 99999\r\n\r\nhalf", errors.ChatUnavailable),
        (b"HTTP/1.1 204 No\r\n\r\n", errors.ChatBadAnswer),
        (b"hello\r\n\r\n", errors.ChatBadAnswer),
        (b"", errors.ChatUnavailable),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, errors.ChatBadAnswer),
        (STREAM_HEAD + b"nonsense\r\n", errors.StreamCut),
        (STREAM_HEAD + chunk(b"}{", b"}{", b"}{"), errors.ChatBadAnswer),
    ],
)
def test_what_is_no_answer_is_refused(
    upstream: RawUpstream, chat_client: ChatClient, said: bytes, kind: type[errors.ChatError]
):
    upstream.say(said)

    pieces, failure = failing(chat_client)

    assert (pieces, type(failure), failure.is_before_stream) == ([], kind, True)


def whole(body: Any, more: bytes = b"", content_type: bytes = b"application/json") -> tuple[bytes]:
    """A whole answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (plain(content_type, raw, more),)


@needs_shared
def test_a_whole_answer_has_its_text_its_usage_and_litellms_cost(upstream: RawUpstream, chat_client: ChatClient):
    upstream.say(
        shared_text("examples/litellm/stream/nonstream.txt").partition("\n\n")[2].replace("\n", "\r\n").encode()
    )

    answer = chat_client.complete(CALL)

    assert (answer.text, answer.finish_reason) == ("hello from fake upstream", "stop")
    assert answer.usage == TokenUsage(12, 50, 4, 0, 31_500)
    assert answer.headers["x-litellm-model-group"] == "fake-gpt"
    assert answer.body["object"] == "chat.completion"
    asked = json.loads(upstream.requests[0].partition(b"\r\n\r\n")[2])
    assert (asked["stream"], asked["max_completion_tokens"], "stream_options" in asked) == (False, 100, False)


def test_what_is_billed_beside_the_text_is_kept_apart(upstream: RawUpstream, chat_client: ChatClient):
    message = {"content": "a\x00b", "reasoning_content": "hm", "tool_calls": [{"function": {"name": "f"}}]}
    upstream.say(*whole({"choices": [{"message": message}, {"message": {"content": "second"}}]}))

    answer = chat_client.complete(CALL)

    assert (answer.text, answer.reasoning, answer.usage) == ("ab", "hmfsecond", None)


@pytest.mark.parametrize("body", [b"", b"[]", b"}{", b"[" * 100_000, b'{"choices": "x"}'])
def test_a_whole_answer_that_cannot_be_read_is_refused(upstream: RawUpstream, chat_client: ChatClient, body: bytes):
    upstream.say(*whole(body))
    if body.startswith(b"{"):
        assert chat_client.complete(CALL).text == ""
        return

    with pytest.raises(errors.ChatBadAnswer):
        chat_client.complete(CALL)


def test_embeddings_go_through_with_their_usage(upstream: RawUpstream, chat_client: ChatClient):
    listed = {"data": [{"embedding": [0.25, -1]}], "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    upstream.say(*whole(listed, b"x-litellm-response-cost: 1.6e-07\r\n"))

    answer = chat_client.embed({"model": "sandbox-embed", "input": "hi"}, "call-2")

    assert answer.usage == TokenUsage(8, 0, cost_nano_usd=160)
    assert json.loads(answer.raw) == listed
    assert upstream.requests[0].startswith(b"POST /embeddings ")


@needs_shared
def test_litellms_price_list_is_read_exactly(upstream: RawUpstream, chat_client: ChatClient):
    upstream.say(*whole(example("litellm/admin/model_info.json")["response"]))

    models = {model.id: model for model in chat_client.models()}

    assert models["mock-gpt"] == ModelInfo(
        "mock-gpt", "chat", 150_000_000, 75_000_000, 600_000_000, 128_000, 16_384, "openai"
    )
    assert models["mock-claude"].input_nano_per_mtok is None
    assert models["mock-claude"].output_nano_per_mtok is None


def deployment(name: object, **details: object) -> dict[str, Any]:
    return {"model_name": name, "model_info": details}


def test_of_two_deployments_the_dearer_price_and_the_smaller_window_count(
    upstream: RawUpstream, chat_client: ChatClient
):
    listed = [
        deployment("m", input_cost_per_token=1e-6, output_cost_per_token=2e-6, max_input_tokens=8_000, mode="chat"),
        deployment("m", input_cost_per_token=3e-6, max_input_tokens=4_000),
        deployment(7, input_cost_per_token=1),
        deployment("n", input_cost_per_token="dear", max_input_tokens=-1),
        "x",
    ]
    upstream.say(*whole({"data": listed}))

    assert chat_client.models() == [
        ModelInfo("m", "chat", 3_000_000_000, None, None, 4_000, None, ""),
        ModelInfo("n", "", None, None, None, None, None, ""),
    ]


@pytest.mark.parametrize("status", [b"401 No", b"404 No", b"405 No"])
def test_an_upstream_without_a_price_list_gives_names(upstream: RawUpstream, status: bytes):
    upstream.say(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    upstream.say(*whole({"data": [{"id": "gpt-5", "owned_by": "openai"}, {"id": None}]}))
    client = ChatClient(f"{upstream.url}/v1", "", pool=upstream.pool)

    assert client.models() == [ModelInfo("gpt-5", "", None, None, None, None, None, "openai")]
    assert [one.split()[1] for one in upstream.requests] == [b"/model/info", b"/v1/models"]
    assert b"Authorization" not in upstream.requests[0]


def test_a_price_list_that_fails_is_a_failure(upstream: RawUpstream, chat_client: ChatClient):
    upstream.say(b"HTTP/1.1 503 Down\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(errors.ChatUnavailable):
        chat_client.models()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid"])
def test_a_connection_that_fails_is_tried_three_times_and_then_told(url: str):
    client = ChatClient(url, "sk-x", limits=SHORT)

    with pytest.raises(errors.ChatUnavailable) as failure:
        client.stream(CALL)
    assert failure.value.is_before_stream


def test_a_request_that_was_sent_is_never_sent_again(upstream: RawUpstream, chat_client: ChatClient):
    upstream.say(b"")

    with pytest.raises(errors.ChatUnavailable):
        chat_client.stream(CALL)
    assert len(upstream.requests) == 1


def test_a_certificate_nobody_vouches_for_is_refused(upstream: RawUpstream):
    stranger = ChatClient(upstream.url, "sk-x", limits=SHORT)
    if upstream.tls is None:
        pytest.skip("without encryption there is no certificate")

    with pytest.raises(errors.ChatUnavailable):
        stranger.stream(CALL)
    assert upstream.requests == []


def test_a_key_that_is_none_is_refused_before_it_travels(upstream: RawUpstream):
    with pytest.raises(errors.KeyRefused):
        ChatClient(upstream.url, "sk-x\r\nX-Evil: 1").stream(CALL)
    assert upstream.requests == []
