"""An upstream's refusals, word for word as LiteLLM, OpenAI and vLLM write them, and the fact each one is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.shared import example, needs_shared, text_of
from tokenboard.providers import chat_errors as errors
from tokenboard.providers.chat_answers import object_in
from tokenboard.providers.chat_framing import split_head
from tokenboard.providers.chat_refusals import error_within, refusal


def refused(status: int, body: Any, **headers: str) -> errors.ChatError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw, "sk-secret-key")


def openai(message: str, kind: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@needs_shared
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("chat_bad_key", errors.KeyRefused),
        ("chat_blocked_key", errors.KeyRefused),
        ("chat_no_auth", errors.KeyRefused),
        ("key_expired_chat", errors.KeyRefused),
        ("chat_model_not_allowed", errors.ModelNotFound),
        ("chat_model_unknown", errors.ModelNotFound),
        ("key_budget_exceeded", errors.BudgetExceeded),
        ("key_zero_budget_chat", errors.BudgetExceeded),
        ("customer_budget_exceeded", errors.BudgetExceeded),
        ("customer_budget_exceeded_stream", errors.BudgetExceeded),
        ("user_budget_exceeded", errors.BudgetExceeded),
        ("rpm_exceeded", errors.ChatRateLimited),
        ("dbdown_chat_uncached_key", errors.ChatUnavailable),
        ("dbdown_key_update", errors.ChatUnavailable),
        ("dbdown_key_info", errors.ChatUnavailable),
        ("bad_body", errors.ChatRefused),
        ("budget_new_dup", errors.ChatRefused),
    ],
)
def test_what_litellm_was_seen_to_say(name: str, kind: type[errors.ChatError]):
    recorded = example(f"litellm/admin/{name}.json")
    failure = refusal(recorded["status"], recorded["response_headers"], json.dumps(recorded["response"]).encode())

    assert type(failure) is kind
    assert failure.is_before_stream
    assert failure.retry_after_seconds == (60 if name == "rpm_exceeded" else None)


@needs_shared
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("fail_400", errors.ChatRefused),
        ("fail_401", errors.KeyRefused),
        ("fail_404", errors.ModelNotFound),
        ("fail_429", errors.ChatRateLimited),
        ("fail_500", errors.ChatUnavailable),
        ("fail_500_stream", errors.ChatUnavailable),
        ("bad_json_messages", errors.ChatRefused),
    ],
)
def test_what_litellm_passes_on_from_the_model_behind_it(name: str, kind: type[errors.ChatError]):
    wire = text_of(f"examples/litellm/stream/{name}.txt").partition("\n\n")[2].replace("\n", "\r\n").encode()
    head, body = split_head(wire)

    assert type(refusal(head.status, head.headers, body)) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            401,
            openai("Incorrect API key provided: sk-abc***.", "invalid_request_error", "invalid_api_key"),
            errors.KeyRefused,
        ),
        (403, openai("You are not allowed to sample from this model"), errors.KeyRefused),
        (
            404,
            openai("The model `x` does not exist or you do not have access to it.", None, "model_not_found"),
            errors.ModelNotFound,
        ),
        (
            400,
            openai("This model's maximum context length is 8192 tokens.", None, "context_length_exceeded"),
            errors.ContextTooLong,
        ),
        (400, openai("litellm.ContextWindowExceededError: prompt is too long: 210000 tokens"), errors.ContextTooLong),
        (400, openai("litellm.ContentPolicyViolationError: filtered", None, "400"), errors.ContentRefused),
        (400, openai("Your request was rejected", None, "content_policy_violation"), errors.ContentRefused),
        (400, {"object": "error", "message": "maximum context length is 4096", "code": 400}, errors.ContextTooLong),
        (402, openai("pay first"), errors.BudgetExceeded),
        (
            429,
            openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
            errors.BudgetExceeded,
        ),
        (429, openai("Budget has been exceeded! Key=x", "budget_exceeded", "429"), errors.BudgetExceeded),
        (413, b"too large", errors.RequestTooLarge),
        (422, {"detail": [{"type": "missing", "loc": ["body"], "msg": "Field required"}]}, errors.ChatRefused),
        (500, {"detail": {"error": "Can't reach database server at `db`"}}, errors.ChatUnavailable),
        (400, openai("Authentication Error, Can't reach database server", "auth_error"), errors.ChatUnavailable),
        (503, b"<html>down</html>", errors.ChatUnavailable),
        (500, openai("The model does not exist"), errors.ChatUnavailable),
        (504, b"", errors.ChatTimedOut),
        (408, b"", errors.ChatTimedOut),
        (302, b"", errors.ChatBadAnswer),
        (418, b"[" * 100_000, errors.ChatRefused),
        (400, b"null", errors.ChatRefused),
    ],
)
def test_what_others_say(status: int, body: Any, kind: type[errors.ChatError]):
    assert type(refused(status, body)) is kind


def test_only_what_may_pass_by_itself_is_called_transient():
    passing = {kind for kind in _kinds(errors.ChatError) if kind.is_transient}

    assert passing == {errors.ChatRateLimited, errors.ChatUnavailable, errors.ChatTimedOut, errors.StreamCut}


def test_every_fact_is_sentences_that_carry_nothing_of_the_upstream():
    for kind in _kinds(errors.ChatError):
        told = kind("sk-secret-key at db.internal", retry_after_seconds=7)
        mid = kind("x").in_mid_stream()

        assert told.user_message.endswith(".")
        assert "sk-" not in told.user_message
        assert "{" not in told.user_message
        assert mid.user_message.endswith("What had arrived is kept.")
        assert told.code.replace("_", "").isalpha()
        assert 400 <= told.status < 600


def _kinds(kind: type[errors.ChatError]) -> list[type[errors.ChatError]]:
    return [kind, *(one for below in kind.__subclasses__() for one in _kinds(below))]


def test_no_key_stays_in_what_is_kept_for_the_log():
    failure = refused(401, openai("Bad key sk-secret-key and Bearer abcdefghij and sk-other-key-12345"))

    assert "secret" not in failure.detail + repr(failure)
    assert "other" not in failure.detail
    assert "abcdefghij" not in failure.detail


def test_a_wait_is_told_where_the_upstream_told_one():
    told, untold = refused(429, openai("slow down"), retry_after="17"), refused(429, openai("slow down"))

    assert "in 17 seconds" in told.user_message
    assert "in a minute" in untold.user_message


def test_an_answer_with_status_200_may_be_an_error():
    assert type(error_within(openai("Invalid model name passed in model=x", None, "400"))) is errors.ModelNotFound
    assert type(error_within(openai("rate", None, "429"))) is errors.ChatRateLimited
    assert type(error_within({"error": "boom"})) is errors.ChatUnavailable
    assert error_within({"error": None, "choices": []}) is None
    with pytest.raises(errors.ChatUnavailable):
        object_in(b'{"error": {"message": "boom", "code": 500}}')
