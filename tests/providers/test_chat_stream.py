"""A streamed answer over a real socket: pieces, reuse, limits, and stopping it from elsewhere."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from tests.providers.raw_upstream import (
    ANSWER,
    CALL,
    HASTY,
    LAST_CHUNK,
    RESET,
    SHORT,
    STREAM_HEAD,
    RawUpstream,
    Step,
    chunk,
    delta,
    event,
    failing,
    read,
    stopped,
    text_of,
)
from tokenboard.core import clock
from tokenboard.providers import chat_errors as errors
from tokenboard.providers.chat_client import ChatClient, TokenUsage

PATIENCE_SECONDS = 20  # the upstream never ends by itself: this only has to be an end


def test_an_answer_arrives_whole_with_its_usage(upstream: RawUpstream, chat_client: ChatClient):
    upstream.say(*ANSWER)

    pieces = read(chat_client.stream(CALL))

    assert text_of(pieces) == "Hello"
    assert pieces[-1].finish_reason == "stop"
    assert pieces[-1].usage == TokenUsage(12, 50)
    assert [piece.is_done for piece in pieces][-1]
    assert json.loads(pieces[0].events[0]) == delta("Hel")


def test_what_is_asked_is_what_the_call_says(upstream: RawUpstream, chat_client: ChatClient):
    upstream.say(*ANSWER)
    call = replace(
        CALL,
        end_user="alice@example.com",
        options={"temperature": 0.5, "model": "other", "max_tokens": 9, "stream": False},
        headers={"x-litellm-spend-logs-metadata": '{"a": 1}', "Authorization": "mine", "X-Request-Id": "theirs"},
    )

    read(chat_client.stream(call))

    head, _, body = upstream.requests[0].partition(b"\r\n\r\n")
    assert json.loads(body) == {
        "model": "sandbox-swift",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_completion_tokens": 100,
        "stream": True,
        "stream_options": {"include_usage": True},
        "user": "alice@example.com",
        "temperature": 0.5,
    }
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /chat/completions HTTP/1.1"
    assert {"Authorization: Bearer sk-secret-key", "Accept-Encoding: identity"} <= set(lines)
    assert {"x-litellm-call-id: call-1", "X-Request-Id: call-1", 'x-litellm-spend-logs-metadata: {"a": 1}'} <= set(
        lines
    )
    assert "mine" not in head.decode()
    assert "theirs" not in head.decode()


def test_a_header_cannot_smuggle_another_one(chat_client: ChatClient):
    with pytest.raises(ValueError, match="cannot be sent"):
        chat_client.stream(replace(CALL, headers={"x-note": "a\r\nAuthorization: mine"}))


def test_a_connection_serves_the_next_answer_too(upstream: RawUpstream, chat_client: ChatClient):
    for _ in range(3):
        upstream.say(*ANSWER)

    assert [text_of(read(chat_client.stream(CALL))) for _ in range(3)] == ["Hello"] * 3
    assert not upstream.has_ended.is_set(), "all three over one connection"


def test_one_read_takes_all_that_has_arrived(upstream: RawUpstream, chat_client: ChatClient):
    gate = threading.Event()
    upstream.say(STREAM_HEAD, chunk(delta("first ")), gate, *(chunk(delta(f"{n} ")) for n in range(300)), *ANSWER[2:])
    with chat_client.stream(CALL) as stream:
        first = next(stream)
        stream.pause_seconds = 0.1  # while we wait, three hundred chunks arrive
        gate.set()
        rest = list(stream)

    assert first.text == "first "
    assert text_of(rest) == "".join(f"{n} " for n in range(300))
    assert len(rest) < 10


@pytest.mark.parametrize("is_waiting_for", ["the head", "the first event", "more"])
def test_closing_from_another_thread_stops_the_upstream_at_once(
    upstream: RawUpstream, chat_client: ChatClient, is_waiting_for: str
):
    for_ever = threading.Event()
    said = {"the head": (), "the first event": (STREAM_HEAD,), "more": (STREAM_HEAD, chunk(delta("kept")))}
    upstream.say(*said[is_waiting_for], for_ever)
    patient = ChatClient(upstream.url, "k", pool=upstream.pool)
    stream = patient.prepare(CALL)
    threading.Timer(0.1, stream.close).start()
    begun = clock.monotonic()

    pieces = read(stream.open())

    assert text_of(pieces) == ("kept" if is_waiting_for == "more" else "")
    assert stream.is_stopped
    assert clock.monotonic() - begun < PATIENCE_SECONDS
    for_ever.set()
    assert upstream.has_ended.wait(PATIENCE_SECONDS)


def test_leaving_early_ends_the_connection(upstream: RawUpstream, chat_client: ChatClient):
    gate = threading.Event()
    upstream.say(STREAM_HEAD, chunk(delta("a")), gate, chunk(delta("b")))
    with chat_client.stream(CALL) as stream:
        next(stream)
    gate.set()

    assert list(stream) == []
    assert upstream.has_ended.wait(PATIENCE_SECONDS)


def test_a_stream_closed_before_it_was_opened_asks_nothing(upstream: RawUpstream, chat_client: ChatClient):
    stream = chat_client.prepare(CALL)
    stream.close()

    assert list(stream.open()) == []
    assert upstream.requests == []


def test_a_broken_answer_gives_what_came_and_then_the_fact(upstream: RawUpstream, chat_client: ChatClient):
    upstream.say(STREAM_HEAD, chunk(delta("kept ")), b"100\r\ndata: {")

    pieces, failure = failing(chat_client)

    assert (text_of(pieces), type(failure), failure.is_before_stream) == ("kept ", errors.StreamCut, False)


def test_a_torn_connection_is_a_broken_answer(upstream: RawUpstream, chat_client: ChatClient):
    has_read = threading.Event()  # a reset overtakes what was not read before it
    upstream.say(STREAM_HEAD, chunk(delta("kept ")), has_read, RESET)
    with chat_client.stream(CALL) as stream:
        assert next(stream).text == "kept "
        has_read.set()

        with pytest.raises(errors.StreamCut):
            next(stream)


@pytest.mark.parametrize("ending", [LAST_CHUNK, RESET, threading.Event()])
def test_an_ending_without_done_is_an_end_once_the_model_finished(
    upstream: RawUpstream, chat_client: ChatClient, ending: Step
):
    has_read = threading.Event()
    upstream.say(STREAM_HEAD, chunk(delta("whole"), stopped()), has_read, ending)
    with chat_client.stream(CALL) as stream:
        assert next(stream).text == "whole"
        has_read.set()

        assert list(stream) == []


def test_a_connection_that_only_ends_with_the_answer_is_read_to_its_end(upstream: RawUpstream, chat_client: ChatClient):
    upstream.say(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", event(delta("old")), event(b"[DONE]"))

    assert text_of(read(chat_client.stream(CALL))) == "old"


SILENCES: list[tuple[str, tuple[bytes, ...]]] = [
    ("no head", ()),
    ("no event", (STREAM_HEAD,)),
    ("half a line", (STREAM_HEAD, b"400\r\ndata: {")),
    ("mid-answer", (STREAM_HEAD, chunk(delta("kept")))),
]


@pytest.mark.parametrize(("name", "said"), SILENCES)
def test_silence_ends_a_stream(upstream: RawUpstream, name: str, said: tuple[bytes, ...]):
    upstream.say(*said, threading.Event())

    pieces, failure = failing(upstream.client(HASTY))

    assert isinstance(failure, errors.ChatTimedOut)
    assert failure.is_before_stream is (not pieces)
    assert text_of(pieces) in ("", "kept" if name == "mid-answer" else "")


def test_a_long_answer_ends_at_its_deadline_though_it_never_falls_silent(upstream: RawUpstream):
    upstream.say(STREAM_HEAD, *(chunk(b'{"choices": []}') for _ in range(50_000)))
    hurried = upstream.client(replace(SHORT, stream_seconds=0.05))

    assert isinstance(failing(hurried)[1], errors.ChatTimedOut)


def test_the_log_names_the_call_and_nothing_of_the_conversation(
    upstream: RawUpstream, chat_client: ChatClient, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    upstream.say(*ANSWER)
    read(chat_client.stream(replace(CALL, end_user="alice@example.com")))

    (line,) = [record.__dict__ for record in caplog.records if record.message == "chat call"]
    assert (line["call_id"], line["status"], line["failure"], line["is_stopped"]) == ("call-1", 200, None, False)
    assert not {"sk-secret-key", "alice@example.com", "Hello"} & {str(value) for value in line.values()}


@pytest.mark.parametrize("times", [1, 20])
def test_streams_do_not_disturb_one_another(upstream: RawUpstream, chat_client: ChatClient, times: int):
    for _ in range(times):
        upstream.say(*ANSWER)
    heard: list[str] = []
    threads = [
        threading.Thread(target=lambda: heard.append(text_of(read(chat_client.stream(CALL))))) for _ in range(times)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert heard == ["Hello"] * times
