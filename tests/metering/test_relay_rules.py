"""How often streams are written, and when an answer has grown past its limit."""

from __future__ import annotations

import pytest

from tokenboard.metering.relay_rules import is_past_bound, pause_seconds, tick_seconds


def test_a_few_streams_are_written_as_they_come_and_many_are_gathered():
    counts = (1, 30, 51, 200, 400)

    assert [pause_seconds(streams) for streams in counts] == [0.0, 0.0, 0.04, 0.04, 0.06]
    assert [tick_seconds(streams) for streams in counts] == [0.0, 0.01, 0.02, 0.02, 0.03]


@pytest.mark.parametrize("streams", range(1, 1_000, 50))
def test_no_reader_waits_a_tenth_of_a_second_for_text_that_is_there(streams: int):
    assert pause_seconds(streams) + tick_seconds(streams) < 0.1


@pytest.mark.parametrize("text_bytes_a_token", [1, 4, 6])
def test_an_answer_of_usual_text_may_be_as_long_as_was_agreed(text_bytes_a_token: int):
    assert not is_past_bound(1_000 * text_bytes_a_token, 1_000)


def test_an_upstream_that_does_not_stop_is_stopped():
    assert is_past_bound(1_000 * 8 + 257, 1_000)
