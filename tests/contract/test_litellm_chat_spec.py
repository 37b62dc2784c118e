"""What our client says to LiteLLM, and what the sandbox answers, hold before three judges: LiteLLM's own OpenAPI file,
the answers recorded from a running proxy, and OpenAI's client library.

The file leaves chat's bodies open (`schema: {}`), so there the recorded answers' keys are the judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from tests.contract.shapes import missing_keys
from tests.contract.shared import example, needs_shared, text_of
from tests.providers.stand_in import StandIn, wait_for
from tokenboard.providers.chat_client import ChatCall
from tokenboard.providers.chat_reading import PieceReader
from tokenboard.providers.chat_requests import call_headers, chat_body
from tokenboard.providers.chat_shapes import ChatLimits, TokenUsage
from tokenboard.sandbox.spend_log import SpendLog

pytestmark = pytest.mark.xdist_group("litellm spec")
CALL = ChatCall("call-1", "sandbox-swift", [{"role": "user", "content": "/words 20"}], 50, "alice@example.com")
KEY = {"Authorization": "Bearer sk-sandbox"}
UNSAID = {".system_fingerprint"}  # ours has no fingerprint; LiteLLM leaves it out as well where a model has none
# Of LiteLLM's 10 KB of metadata a row holds what we read.
READ_METADATA = (
    "status",
    "usage_object",
    "user_api_key",
    "litellm_call_id",
    "error_information",
    "spend_logs_metadata",
)


def ask(stand_in: StandIn, path: str, **more: Any) -> requests.Response:
    method = "POST" if "json" in more else "GET"
    return requests.request(method, f"{stand_in.url}/litellm{path}", headers=KEY, timeout=5, **more)


def recorded(name: str) -> tuple[list[str], str]:
    """Header names in lower case, and the body, of a recorded stream."""
    _, head, body = text_of(f"examples/litellm/stream/{name}.txt").split("\n\n", 2)
    return [line.partition(":")[0].lower() for line in head.splitlines()[1:]], body


@needs_shared
@pytest.mark.parametrize("path", ["/v1/models", "/model/info", "/health/liveliness", "/health/readiness"])
def test_what_is_listed_keeps_the_spec(stand_in: StandIn, rules: OpenAPI, path: str):
    told = ask(stand_in, path)

    rules.validate_response(RequestsOpenAPIRequest(told.request), RequestsOpenAPIResponse(told))


@needs_shared
@pytest.mark.parametrize("is_stream", [True, False])
def test_what_we_ask_keeps_the_spec(stand_in: StandIn, rules: OpenAPI, is_stream: bool):
    url, body = f"{stand_in.url}/litellm/v1/chat/completions", chat_body(CALL, is_stream=is_stream)
    told = requests.Request("POST", url, headers=KEY | call_headers("call-1", {}), json=body).prepare()

    rules.validate_request(RequestsOpenAPIRequest(told))


@needs_shared
@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/models", "models"), ("/health/readiness", "health_readiness")],
)
def test_what_is_listed_has_the_recorded_keys(stand_in: StandIn, path: str, name: str):
    assert missing_keys(example(f"litellm/admin/{name}.json")["response"], ask(stand_in, path).json()) == []


@needs_shared
def test_a_price_list_has_the_keys_we_read(stand_in: StandIn):
    read = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost", "max_input_tokens")
    more = ("max_output_tokens", "litellm_provider", "mode", "id", "key")
    theirs = example("litellm/admin/model_info.json")["response"]["data"][0]["model_info"]
    ours = ask(stand_in, "/model/info").json()["data"][0]["model_info"]

    assert {name for name in (*read, *more) if name in theirs} == {name for name in (*read, *more) if name in ours}


@needs_shared
def test_a_whole_answer_has_the_recorded_keys_and_headers(stand_in: StandIn):
    told = ask(stand_in, "/v1/chat/completions", json=chat_body(CALL, is_stream=False))
    heads, body = recorded("metadata_in_body")
    lost = missing_keys(json.loads(body), told.json())

    assert set(lost) <= UNSAID
    ours = {name.lower() for name in told.headers}
    assert {"x-litellm-call-id", "x-litellm-response-cost", "x-litellm-model-group"} <= ours & set(heads)


@needs_shared
def test_a_stream_has_the_recorded_events(stand_in: StandIn):
    told = ask(stand_in, "/v1/chat/completions", json=chat_body(CALL, is_stream=True))
    heads, body = recorded("stream_usage")
    theirs, ours = events(body), events(told.text)

    for position in (0, 1, -3, -2):
        assert set(missing_keys(theirs[position], ours[position])) <= UNSAID, position
        assert set(missing_keys(ours[position], theirs[position])) == set(), position
    assert theirs[-1] == ours[-1] == "[DONE]"
    streamed = {"x-litellm-call-id", "x-litellm-response-cost-original", "x-accel-buffering"}
    assert streamed <= {name.lower() for name in told.headers} & set(heads)
    assert "x-litellm-response-cost" not in {name.lower() for name in told.headers}


def events(body: str) -> list[Any]:
    payloads = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: ")]
    return [payload if payload == "[DONE]" else json.loads(payload) for payload in payloads]


@needs_shared
@pytest.mark.parametrize(
    ("name", "usage", "has_failed"),
    [
        ("stream_usage", TokenUsage(12, 50, 4, 0, 31_500), False),
        ("stream_nousage", None, False),
        ("stream_midfail", None, True),
        ("stream_middrop", None, True),
    ],
)
def test_recorded_streams_are_read_whole(name: str, usage: TokenUsage | None, has_failed: bool):
    reader = PieceReader(ChatLimits(), 100)
    piece = reader.feed(recorded(name)[1].encode())

    expected = 10 if has_failed else 50
    assert piece.text == "".join(f"tok{n} " for n in range(expected))
    assert piece.usage == usage
    assert (reader.failure is not None) is has_failed
    assert reader.is_done is (not has_failed)


@needs_shared
@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("fault-403", "chat_model_not_allowed"),
        ("fault-422-budget", "key_budget_exceeded"),
        ("fault-503", "dbdown_chat_uncached_key"),
        ("nope", "chat_model_unknown"),
    ],
)
def test_a_refusal_has_the_recorded_status_and_type(stand_in: StandIn, model: str, name: str):
    told = ask(stand_in, "/v1/chat/completions", json={"model": model, "messages": []})
    theirs = example(f"litellm/admin/{name}.json")

    assert told.status_code == theirs["status"]
    ours, theirs = told.json()["error"], theirs["response"]["error"]
    assert [ours[key] for key in ("type", "param", "code")] == [theirs[key] for key in ("type", "param", "code")]


@needs_shared
def test_a_row_of_the_spend_log_has_the_recorded_keys(stand_in: StandIn):
    ask(stand_in, "/v1/chat/completions", json=chat_body(CALL, is_stream=True))
    store = stand_in.app.extensions["tokenboard-sandbox"].store
    row = wait_for(lambda: SpendLog(store).rows(end_user="alice@example.com"))
    theirs = example("litellm/admin/stream_spend_rows.json")["response"]["data"][0]
    kept = {name: theirs["metadata"][name] for name in READ_METADATA}

    assert missing_keys(theirs | {"metadata": kept}, row) == []


@pytest.fixture
def openai_client(stand_in: StandIn) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="sk-sandbox", base_url=f"{stand_in.url}/litellm/v1", max_retries=0) as client:
        yield client


def test_openais_own_client_streams_from_the_sandbox(openai_client: openai.OpenAI):
    stream = openai_client.chat.completions.create(
        model="sandbox-swift",
        messages=[{"role": "user", "content": "/words 20"}],
        max_completion_tokens=50,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)

    assert "".join(one.choices[0].delta.content or "" for one in chunks) == " ".join(f"word{n}" for n in range(1, 21))
    assert [one.choices[0].finish_reason for one in chunks][-2] == "stop"
    assert chunks[-1].usage.completion_tokens == 20


def test_openais_own_client_lists_asks_and_embeds(openai_client: openai.OpenAI):
    answer = openai_client.chat.completions.create(
        model="sandbox-sage", messages=[{"role": "user", "content": "hello"}], max_completion_tokens=7
    )

    assert "sandbox-sage" in {model.id for model in openai_client.models.list()}
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 7)
    assert len(openai_client.embeddings.create(model="sandbox-embed", input="hi", encoding_format="float").data) == 1


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("fault-401", openai.AuthenticationError),
        ("fault-403", openai.PermissionDeniedError),
        ("fault-404", openai.NotFoundError),
        ("fault-429", openai.RateLimitError),
        ("fault-422-budget", openai.UnprocessableEntityError),
        ("fault-500", openai.InternalServerError),
    ],
)
def test_openais_own_client_knows_the_sandboxs_refusals(
    openai_client: openai.OpenAI, model: str, kind: type[openai.APIStatusError]
):
    with pytest.raises(kind):
        openai_client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
