"""What one streamed event means, and what is wrong with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.providers.raw_upstream import delta, event, stopped
from tokenboard.providers.chat_errors import AnswerTooLong, ChatBadAnswer, ChatUnavailable, ContextTooLong
from tokenboard.providers.chat_reading import PieceReader
from tokenboard.providers.chat_shapes import ChatLimits, Piece, TokenUsage
from tokenboard.providers.chat_usage import COST_USD_MAX, TOKENS_MAX, cost_nano, price_nano_per_mtok, usage_of


def read(*payloads: object, limits: ChatLimits | None = None) -> tuple[Piece | None, PieceReader]:
    reader = PieceReader(limits or ChatLimits(), 100)
    return reader.feed(b"".join(event(payload) for payload in payloads)), reader


@pytest.mark.parametrize(
    ("inner", "text", "reasoning"),
    [
        ({"content": "hi"}, "hi", ""),
        ({"content": None}, "", ""),
        ({"content": [{"type": "text", "text": "a"}, {"text": "b"}, "c"]}, "ab", ""),
        ({"reasoning_content": "hm"}, "", "hm"),
        ({"reasoning": "hm"}, "", "hm"),
        ({"refusal": "I will not."}, "I will not.", ""),
        ({"tool_calls": [{"function": {"name": "look", "arguments": "{}"}}, 7]}, "", "look{}"),
        ({"content": 7, "tool_calls": "x"}, "", ""),
    ],
)
def test_a_delta_is_text_or_what_is_billed_beside_it(inner: dict[str, Any], text: str, reasoning: str):
    piece, _ = read(delta(**inner))

    assert (piece.text, piece.reasoning) == (text, reasoning)


def test_of_two_choices_the_first_is_shown_and_both_are_counted():
    both = {"choices": [{"index": 0, "delta": {"content": "one"}}, {"index": 1, "delta": {"content": "two"}}]}

    piece, _ = read(both)

    assert (piece.text, piece.reasoning) == ("one", "two")


@pytest.mark.parametrize("odd", [{"choices": None}, {"choices": ["x"]}, {"choices": [{"delta": None}]}, {"id": 1}, {}])
def test_an_event_without_news_is_passed_on_and_harms_nobody(odd: dict[str, Any]):
    piece, reader = read(odd)

    assert (piece.text, len(piece.events), reader.failure) == ("", 1, None)


def test_good_events_come_out_before_what_went_wrong_behind_them():
    broken = {"error": {"message": "litellm.APIConnectionError: broke", "type": None, "param": None, "code": "500"}}

    piece, reader = read(delta("kept"), broken, delta("never"))

    assert (piece.text, len(piece.events)) == ("kept", 1)
    assert isinstance(reader.failure, ChatUnavailable)


def test_an_error_event_without_a_status_is_known_by_its_words():
    _, reader = read({"error": {"message": "too long", "code": "context_length_exceeded"}})

    assert isinstance(reader.failure, ContextTooLong)


def test_two_unreadable_lines_are_forgiven_three_are_not():
    forgiven, reader = read(b"}{", b"[1]", delta("on"))
    assert (forgiven.text, reader.failure) == ("on", None)

    _, reader = read(b"}{", b"NaN", b"[" * 10_000)
    assert isinstance(reader.failure, ChatBadAnswer)


def test_nothing_is_read_after_the_end():
    piece, reader = read(delta("a"), b"[DONE]", delta("b"), b"[DONE]")

    assert (piece.text, piece.is_done, len(piece.events)) == ("a", True, 1)
    assert reader.feed(event(delta("c"))) is None


def test_an_upstream_that_ignores_its_limit_is_stopped_and_what_came_is_kept():
    piece, reader = read(delta("x" * 30_000))

    assert len(piece.text) == 30_000
    assert isinstance(reader.failure, AnswerTooLong)


def test_an_answer_past_the_cap_is_stopped_whatever_was_asked():
    reader = PieceReader(ChatLimits(answer_bytes_max=1_000), 1_000_000)
    reader.feed(event(delta("é" * 501)))

    assert isinstance(reader.failure, AnswerTooLong)


def test_the_last_line_counts_without_its_end():
    reader = PieceReader(ChatLimits(), 100)
    assert reader.feed(b"data: [DONE]") is None

    assert reader.end() == Piece(is_done=True)


def test_the_end_is_known_by_its_reason():
    piece, reader = read(stopped("length"))

    assert (piece.finish_reason, reader.has_finished) == ("length", True)


PLAIN = {"prompt_tokens": 12, "completion_tokens": 50}


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (None, None),
        (PLAIN, TokenUsage(12, 50)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, TokenUsage(0, 0)),
        (
            PLAIN
            | {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 9}},
            TokenUsage(12, 50, 4, 9),
        ),
        (PLAIN | {"prompt_tokens_details": None, "cost": Decimal("0.0000315")}, TokenUsage(12, 50, 0, 0, 31_500)),
        ({"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1}, TokenUsage(3, 4, 1)),
        ({"prompt_tokens": 8, "total_tokens": 8}, TokenUsage(8, 0)),
        ({"prompt_tokens": Decimal("12.0"), "completion_tokens": Decimal("5E+1")}, TokenUsage(12, 50)),
    ],
)
def test_usage_is_read_in_every_shape_it_comes_in(told: object, usage: TokenUsage | None):
    assert usage_of(told) == usage


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ("lots", (0, 0, 0, 0)),
        ({}, (0, 0, 0, 0)),
        ({"prompt_tokens": -5, "completion_tokens": -1}, (0, 0, 0, 0)),
        ({"prompt_tokens": "12", "completion_tokens": True}, (0, 0, 0, 0)),
        ({"prompt_tokens": 10**30, "completion_tokens": Decimal("1e30")}, (TOKENS_MAX, TOKENS_MAX, 0, 0)),
        ({"prompt_tokens": Decimal("1.5"), "completion_tokens": 2}, (0, 2, 0, 0)),
        (PLAIN | {"prompt_tokens_details": {"cached_tokens": 13}}, (12, 50, 12, 0)),
        (PLAIN | {"completion_tokens_details": {"reasoning_tokens": 51}}, (12, 50, 0, 50)),
        (PLAIN | {"cost": Decimal("-1")}, (12, 50, 0, 0)),
        (PLAIN | {"cost": "free"}, (12, 50, 0, 0)),
        (PLAIN | {"cost": COST_USD_MAX + 1}, (12, 50, 0, 0)),
    ],
)
def test_odd_usage_is_clamped_and_says_so(told: object, counts: tuple[int, ...]):
    usage = usage_of(told)

    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.reasoning_tokens) == counts
    assert usage.is_odd
    assert usage.cost_nano_usd is None


def test_usage_told_twice_is_the_last_one():
    piece, _ = read({"usage": PLAIN}, {"usage": PLAIN | {"completion_tokens": 51}}, {"usage": None})

    assert piece.usage == TokenUsage(12, 51)


@pytest.mark.parametrize(
    ("usd", "nano"),
    [
        ("3.15e-05", 31_500),
        ("2.9999999999999997e-05", 30_000),
        ("3.0000000000000004e-05", 30_000),
        ("1e-10", 1),
        ("0", 0),
    ],
)
def test_a_cost_is_rounded_up_once_and_a_floats_noise_is_no_cost(usd: str, nano: int):
    assert cost_nano(Decimal(usd)) == cost_nano(usd) == nano


def test_a_price_is_exact_to_a_millionth_of_a_nano_dollar():
    assert price_nano_per_mtok(Decimal("1.5e-07")) == 150_000_000
    assert price_nano_per_mtok(Decimal("7.500000000000001e-08")) == 75_000_000
    assert price_nano_per_mtok(None) is None
    assert price_nano_per_mtok("dear") is None
