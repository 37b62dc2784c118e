"""Every error shape a provider is known to send becomes its own class with its own sentence."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from tests.providers.stand_in import TODAY, StandIn
from tokenboard.providers import errors
from tokenboard.providers.errors import (
    AnswerTooLarge,
    BadAnswer,
    BalanceRefused,
    KeyLacksScope,
    KeyProblem,
    KeyRefused,
    NotAvailable,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    WrongKeyKind,
    cleaned,
)
from tokenboard.providers.http import Patience
from tokenboard.providers.openai_client import OPENAI_ADMIN, OpenAIClient
from tokenboard.providers.refusals import refusal, retry_after_seconds

BRISK = Patience(read_seconds=0.2, attempts=2, answer_bytes_max=2_000_000)

OPENAI_SHAPES = [
    ("sk-admin-sandbox-revoked", KeyRefused, 401, "mistyped, expired or revoked"),
    ("sk-nobody-knows-this", KeyRefused, 401, "mistyped, expired or revoked"),
    ("sk-admin-sandbox-noscope", KeyLacksScope, 403, "Usage: Read"),
    ("sk-admin-sandbox-noscope-object", KeyLacksScope, 403, "Usage: Read"),
    ("sk-admin-sandbox-noscope-401", KeyLacksScope, 401, "Usage: Read"),
    ("sk-admin-sandbox-nousage", KeyLacksScope, 403, "Usage: Read"),
    ("sk-sandbox", KeyLacksScope, 403, "Usage: Read"),
    ("sk-proj-sandbox", WrongKeyKind, 403, "keys of a project or a service account"),
    ("sk-svcacct-sandbox", WrongKeyKind, 403, "keys of a project or a service account"),
    ("sk-admin-sandbox-429-bare", RateLimited, 429, "try again in a few minutes"),
    ("sk-admin-sandbox-429-long", RateLimited, 429, "try again in 3600 seconds"),
    ("sk-admin-sandbox-500", ProviderUnavailable, 500, "cannot be reached or is having trouble"),
    ("sk-admin-sandbox-503", ProviderUnavailable, 503, "cannot be reached or is having trouble"),
    ("sk-admin-sandbox-hangup", ProviderUnavailable, None, "cannot be reached or is having trouble"),
    ("sk-admin-sandbox-slow", ProviderTimeout, None, "took too long to answer"),
    ("sk-admin-sandbox-garbage", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-html", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-halfpage", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-halfjson", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-deep", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-list", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-nan", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-redirect", BadAnswer, 302, "could not be read"),
    ("sk-admin-sandbox-loop", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-nocursor", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-twice", BadAnswer, 200, "could not be read"),
    ("sk-admin-sandbox-huge", AnswerTooLarge, 200, "more data at once than is accepted"),
    ("sk-admin-sandbox-404", NotAvailable, 404, "Check the base URL"),
]


@pytest.mark.parametrize(("key", "kind", "status", "words"), OPENAI_SHAPES, ids=[row[0] for row in OPENAI_SHAPES])
def test_each_shape_of_openai_has_its_own_name_and_sentence(
    stand_in: StandIn, key: str, kind: type[ProviderError], status: int | None, words: str
):
    with pytest.raises(ProviderError) as caught:
        list(stand_in.openai(key, BRISK).costs(TODAY - timedelta(days=3), TODAY))
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert words in caught.value.user_message
    assert caught.value.user_message.startswith(("OpenAI ", "This is not the kind of key OpenAI"))


ANTHROPIC_SHAPES = [
    ("sk-ant-admin-sandbox-revoked", KeyRefused, 401),
    ("sk-ant-api-sandbox", WrongKeyKind, 401),
    ("sk-ant-admin-sandbox-noscope", KeyLacksScope, 403),
    ("sk-ant-admin-sandbox-429-bare", RateLimited, 429),
    ("sk-ant-admin-sandbox-500", ProviderUnavailable, 500),
    ("sk-ant-admin-sandbox-slow", ProviderTimeout, None),
    ("sk-ant-admin-sandbox-garbage", BadAnswer, 200),
    ("sk-ant-admin-sandbox-loop", BadAnswer, 200),
    ("sk-ant-admin-sandbox-twice", BadAnswer, 200),
    ("sk-ant-admin-sandbox-404", NotAvailable, 404),
]


@pytest.mark.parametrize(("key", "kind", "status"), ANTHROPIC_SHAPES, ids=[row[0] for row in ANTHROPIC_SHAPES])
def test_each_shape_of_anthropic_has_its_own_name_and_names_its_console(
    stand_in: StandIn, key: str, kind: type[ProviderError], status: int | None
):
    with pytest.raises(ProviderError) as caught:
        list(stand_in.anthropic(key, BRISK).costs(TODAY - timedelta(days=3), TODAY))
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert "Anthropic" in caught.value.user_message
    if issubclass(kind, KeyProblem):
        assert "https://console.anthropic.com/settings/admin-keys" in caught.value.user_message


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("sk-sandbox-session", BalanceRefused),
        ("sk-admin-sandbox", BalanceRefused),
        ("sk-proj-sandbox", BalanceRefused),
        ("sk-sandbox-revoked", KeyRefused),
        ("sk-sandbox-404", NotAvailable),
        ("sk-sandbox-html", BadAnswer),
        ("sk-sandbox-nan", BadAnswer),
    ],
)
def test_each_refusal_of_a_credit_balance_has_its_own_name(stand_in: StandIn, key: str, kind: type[ProviderError]):
    with pytest.raises(ProviderError) as caught:
        stand_in.openai(key, BRISK).credit_grants()
    assert type(caught.value) is kind


def test_a_refused_personal_key_is_told_where_personal_keys_are_made(stand_in: StandIn):
    with pytest.raises(KeyRefused) as caught:
        stand_in.openai("sk-sandbox-revoked").credit_grants()
    assert "https://platform.openai.com/api-keys" in caught.value.user_message
    assert "admin" not in caught.value.user_message


def test_a_closed_port_and_an_unknown_host_are_unavailable(stand_in: StandIn):
    for base_url in ("http://127.0.0.1:9/v1", "http://no-such-host.invalid/v1"):
        client = OpenAIClient("sk-admin-x", base_url, stand_in.http(BRISK))
        with pytest.raises(ProviderUnavailable):
            list(client.costs(TODAY, TODAY + timedelta(days=1)))


def _classes(root: type[ProviderError]) -> list[type[ProviderError]]:
    return [root, *(found for child in root.__subclasses__() for found in _classes(child))]


def test_every_error_has_a_sentence_of_its_own_and_stands_in_the_tree():
    kinds = [kind for kind in _classes(ProviderError) if kind not in (ProviderError, KeyProblem)]
    sentences = {kind(OPENAI_ADMIN).user_message for kind in kinds}
    assert len(sentences) == len(kinds)
    assert all(sentence.endswith(".") and "{" not in sentence for sentence in sentences)
    assert all(f"─ {kind.__name__} " in (errors.__doc__ or "") for kind in kinds)


CANARY = "sk-admin-CANARY0123456789abcdefghij"


@pytest.mark.parametrize(
    "fault",
    [
        "revoked",
        "noscope",
        "429-bare",
        "500",
        "garbage",
        "html",
        "hangup",
        "halfpage",
        "nan",
        "redirect",
        "loop",
        "404",
    ],
)
def test_a_key_is_in_no_message_repr_or_log_line(stand_in: StandIn, caplog: pytest.LogCaptureFixture, fault: str):
    caplog.set_level(logging.DEBUG)
    stand_in.order("faults", {"path": "/openai", "fault": fault, "times": 5})
    client = stand_in.openai(CANARY, BRISK)
    with pytest.raises(ProviderError) as caught:
        list(client.costs(TODAY, TODAY + timedelta(days=1)))
    records = "".join(str(record.__dict__) for record in caplog.records)
    assert caplog.records, "the call leaves a log line"
    for text in (str(caught.value), repr(caught.value), caught.value.user_message, repr(client), caplog.text, records):
        assert CANARY not in text
        assert "CANARY" not in text


def test_a_providers_echo_of_the_key_is_struck_out_before_it_is_kept():
    for echo in (
        f'{{"error": {{"message": "Incorrect API key provided: {CANARY}."}}}}',
        f'{{"error": "bad header: Bearer {CANARY}"}}',
        f"plain words about {CANARY}",
        '{"error": "Incorrect API key provided: sk-proj-abcd****************wxyz."}',
    ):
        error = refusal(OPENAI_ADMIN, 401, {}, echo.encode(), CANARY)
        assert "CANARY" not in error.detail
        assert "wxyz" not in error.detail
        assert "[key]" in error.detail


@given(st.text(max_size=2_000))
def test_kept_words_are_one_short_printable_line(text: str):
    kept = cleaned(text)
    assert len(kept) <= 300
    assert kept.isprintable() or max(kept) >= "\u00a0"
    assert not any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in kept)


@given(st.binary(max_size=400), st.integers(min_value=400, max_value=599))
def test_any_refusal_at_all_gets_a_name(body: bytes, status: int):
    error = refusal(OPENAI_ADMIN, status, {}, body, CANARY)
    assert isinstance(error, ProviderError)
    assert error.status == status


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 30 ", 30),
        ("0", 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("99999999999999999999", 86_400),
        ("Fri, 20 Nov 2026 15:31:00 GMT", 60),
        ("Fri, 20 Nov 2026 15:00:00 GMT", 0),
        ("Fri, 20 Nov 2026 15:31:00", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(
    set_clock: Callable[[datetime], None], header: str | None, seconds: int | None
):
    set_clock(datetime(2026, 11, 20, 15, 30, tzinfo=UTC))
    assert retry_after_seconds(header) == seconds
