"""Titles, trimming, search patterns, keys: the chat's pure decisions."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tokenboard.chat import rules


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("How are you?", "How are you?"),
        ("\n\n  # Plan for May  \nmore", "Plan for May"),
        ("- item one", "item one"),
        ("   \n\t", "New chat"),
        ("a" * 80, "a" * 59 + "…"),
    ],
)
def test_a_title_is_the_first_line_of_words(message: str, title: str):
    assert rules.title_from(message) == title


def test_a_long_title_is_cut_between_words():
    title = rules.title_from(
        "Write a very long letter to the tax office, about the matter of the missing receipts of May"
    )
    assert title == "Write a very long letter to the tax office, about the…"
    assert len(title) <= rules.LONGEST_TITLE


def _talk(count: int) -> list[dict[str, str]]:
    return [{"role": "assistant" if n % 2 else "user", "content": str(n)} for n in range(count)]


def _characters(message: Mapping[str, str]) -> int:
    return 0 if message["role"] == "system" else len(message["content"])


def test_everything_that_fits_is_sent_with_the_system_message_first():
    sent, left_out = rules.fitting(_talk(5), window_tokens=1_000, kept_for_answer=10, count=_characters)
    assert [one["content"] for one in sent] == [rules.SYSTEM, "0", "1", "2", "3", "4"]
    assert left_out == 0


def test_the_oldest_are_left_out_first_and_counted():
    sent, left_out = rules.fitting(_talk(9), window_tokens=15, kept_for_answer=10, count=_characters)
    assert [one["content"] for one in sent[1:]] == ["4", "5", "6", "7", "8"]
    assert left_out == 4


def test_an_answer_whose_question_was_left_out_does_not_stand_first():
    sent, left_out = rules.fitting(_talk(9), window_tokens=14, kept_for_answer=10, count=_characters)
    assert [one["content"] for one in sent[1:]] == ["6", "7", "8"]
    assert left_out == 6


def test_the_last_message_always_goes_along():
    sent, left_out = rules.fitting(_talk(3), window_tokens=1, kept_for_answer=10, count=_characters)
    assert [one["content"] for one in sent[1:]] == ["2"]
    assert left_out == 2


def test_text_of_three_quarters_of_the_window_is_sent_whole():
    talk = [{"role": "user", "content": "word " * 600} for _ in range(3)]
    sent, left_out = rules.fitting(talk, window_tokens=4_000, kept_for_answer=500)
    assert (len(sent) - 1, left_out) == (3, 0)
    assert rules.fitting(talk, window_tokens=3_000, kept_for_answer=500)[1] == 1


def test_a_model_without_a_known_window_gets_a_bounded_number_of_messages():
    sent, left_out = rules.fitting(_talk(1_001), window_tokens=None, kept_for_answer=10, count=_characters)
    assert len(sent) - 1 <= rules.MOST_SENT
    assert len(sent) - 1 + left_out == 1_001


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [
        ("Plan", "%plan%"),
        ("100%", r"%100\%%"),
        ("a_b", r"%a\_b%"),
        ("c:\\x", r"%c:\\x%"),
        ("x" * 300, f"%{'x' * 100}%"),
    ],
)
def test_a_search_finds_what_is_typed_and_nothing_else(typed: str, pattern: str):
    assert rules.like_pattern(typed) == pattern


def test_a_key_is_its_callers_own():
    mine = rules.request_key(workspace_id="w", person_id="p", key="k")
    assert mine == rules.request_key(workspace_id="w", person_id="p", key="k")
    assert mine != rules.request_key(workspace_id="w", person_id="other", key="k")
    assert mine != rules.request_key(workspace_id="other", person_id="p", key="k")


def test_every_known_ending_has_a_whole_sentence():
    for code in (*rules._ENDINGS, "something_new"):
        assert rules.ending_sentence(code).endswith("."), code
