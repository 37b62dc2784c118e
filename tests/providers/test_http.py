"""The one door: retries, pauses, limits, and what it refuses to do."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
import responses

from tests.providers.stand_in import TODAY, TOMORROW, StandIn
from tokenboard.providers.errors import (
    AnswerTooLarge,
    BadAnswer,
    KeyRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
)
from tokenboard.providers.http import HURRIED, Call, Http, Patience, clean_base_url
from tokenboard.providers.openai_client import OPENAI_ADMIN, OpenAIClient

COSTS = "/openai/v1/organization/costs"


def _call(url: str, secret: str = "sk-admin-sandbox") -> Call:
    return Call(OPENAI_ADMIN, url, {"Authorization": f"Bearer {secret}"}, secret)


def test_a_rate_limit_is_waited_out_for_as_long_as_the_provider_asks(stand_in: StandIn):
    days = list(stand_in.openai("sk-admin-sandbox-429").costs(TODAY, TOMORROW))
    assert [found.day for found in days] == [TODAY]
    assert stand_in.slept_seconds == [1.5]  # one second asked for, half a second of jitter on top


def test_a_single_failure_is_tried_again_with_growing_pauses(stand_in: StandIn):
    stand_in.order("faults", {"path": COSTS, "fault": "503", "times": 3})
    list(stand_in.openai().costs(TODAY, TOMORROW))
    assert stand_in.slept_seconds == [1.0, 2.0, 4.0]


def test_retries_end(stand_in: StandIn):
    with pytest.raises(ProviderUnavailable):
        list(stand_in.openai("sk-admin-sandbox-500").costs(TODAY, TOMORROW))
    assert len(stand_in.calls()) == Patience().attempts
    assert len(stand_in.slept_seconds) == Patience().attempts - 1


def test_a_wait_longer_than_our_patience_ends_the_call_at_once(stand_in: StandIn):
    with pytest.raises(RateLimited) as caught:
        list(stand_in.openai("sk-admin-sandbox-429-long").costs(TODAY, TOMORROW))
    assert caught.value.retry_after_seconds == 3600
    assert stand_in.slept_seconds == []
    assert len(stand_in.calls()) == 1


@pytest.mark.parametrize("fault", ["revoked", "noscope", "404", "huge"])
def test_what_cannot_get_better_is_not_tried_again(stand_in: StandIn, fault: str):
    with pytest.raises(Exception, match="openai"):
        list(stand_in.openai(f"sk-admin-sandbox-{fault}", Patience(answer_bytes_max=100_000)).costs(TODAY, TOMORROW))
    assert len(stand_in.calls()) == 1


def test_a_page_that_broke_off_is_read_again_and_whole(stand_in: StandIn):
    stand_in.order("faults", {"path": COSTS, "fault": "halfpage", "times": 1})
    stand_in.order("faults", {"path": COSTS, "fault": "halfjson", "times": 1})
    found = list(stand_in.openai().costs(TODAY - timedelta(days=2), TODAY))
    assert len(found) == 2
    assert all(day.rows for day in found)


def test_a_person_who_waits_is_not_kept_waiting(stand_in: StandIn):
    with pytest.raises(ProviderUnavailable):
        stand_in.openai("sk-admin-sandbox-500").check_key()
    assert len(stand_in.calls()) == HURRIED.attempts
    assert sum(stand_in.slept_seconds) < 1


def test_a_request_the_provider_calls_wrong_is_refused_by_name(stand_in: StandIn):
    with pytest.raises(RequestRefused, match="start_time"):
        stand_in.http().get_json(_call(f"{stand_in.url}{COSTS}"))


@pytest.mark.parametrize("key", ["", "sk-admin\nX-Evil: 1", "sk-admin-ключ", "sk admin", "x" * 513])
def test_a_key_that_cannot_be_one_is_refused_without_a_call(stand_in: StandIn, key: str):
    with pytest.raises(KeyRefused) as caught:
        list(stand_in.openai(key).costs(TODAY, TOMORROW))
    assert stand_in.calls() == []
    assert key == "" or key not in str(caught.value)


def test_fractions_arrive_exact(stand_in: StandIn):
    stand_in.script(['{"data": [], "has_more": false, "value": 0.00032195744715549047123, "whole": 12}'])
    answer = stand_in.http().get_json(_call(f"{stand_in.url}{COSTS}"))
    assert answer["value"] == Decimal("0.00032195744715549047123")
    assert answer["whole"] == 12


def test_every_attempt_leaves_one_log_line_without_query_or_key(stand_in: StandIn, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "tokenboard.providers.http")
    list(stand_in.openai("sk-admin-sandbox-500-once").costs(TODAY, TOMORROW))
    lines = [vars(record) for record in caplog.records]
    assert [(line["provider"], line["path"], line["status"], line["attempt"], line["failure"]) for line in lines] == [
        ("openai", COSTS, 500, 1, "ProviderUnavailable"),
        ("openai", COSTS, 200, 2, None),
    ]
    assert all(line["duration_ms"] >= 0 for line in lines)
    assert lines[1]["size_bytes"] > 0
    assert "start_time" not in str(lines)


def test_proxies_and_netrc_of_the_environment_are_ignored(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert list(stand_in.openai().costs(TODAY, TOMORROW))


@contextmanager
def _raw_server(*parts: bytes) -> Iterator[str]:
    """A server that sends these bytes to whoever connects, 50 ms between two parts."""
    done = threading.Event()

    def serve() -> None:
        with listener:
            while not done.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.recv(65_536)
                    for part in parts:
                        try:
                            connection.sendall(part)
                        except OSError:
                            break
                        if done.wait(0.05):
                            break

    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        thread.join()


def test_an_answer_that_only_trickles_is_given_up(stand_in: StandIn):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    with _raw_server(head, *[b" "] * 200) as url:
        door = stand_in.http(Patience(attempts=1, read_seconds=1, answer_seconds=0.3))
        with pytest.raises(ProviderTimeout, match="trickles"):
            door.get_json(_call(url))


def test_an_answer_that_stops_in_the_middle_times_out(stand_in: StandIn):
    head = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"data"'
    with _raw_server(head, b"", b"", b"", b"", b"", b"", b"", b"", b"", b"") as url:
        with pytest.raises(ProviderTimeout, match="stopped"):
            stand_in.http(Patience(attempts=1, read_seconds=0.15)).get_json(_call(url))


def test_a_chunked_answer_without_its_end_is_no_answer(stand_in: StandIn):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with _raw_server(head + b'c\r\n{"data": []}\r\n') as url:
        with pytest.raises(BadAnswer, match="broke off"):
            stand_in.http(Patience(attempts=1)).get_json(_call(url))


def test_a_small_answer_that_unpacks_to_a_large_one_is_stopped(stand_in: StandIn):
    body = gzip.compress(b'{"data": "' + b"x" * 5_000_000 + b'"}')
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    with _raw_server(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body) as url:
        with pytest.raises(AnswerTooLarge):
            stand_in.http(Patience(answer_bytes_max=1_000_000)).get_json(_call(url))


def test_what_is_no_http_at_all_is_unavailable(stand_in: StandIn):
    with _raw_server(b"SSH-2.0-OpenSSH_9.2\r\n") as url:
        with pytest.raises(ProviderUnavailable):
            stand_in.http(Patience(attempts=1)).get_json(_call(url))


def test_a_redirect_is_not_followed_with_the_key(stand_in: StandIn):
    with pytest.raises(BadAnswer, match="302"):
        list(stand_in.openai("sk-admin-sandbox-redirect", Patience(attempts=1)).costs(TODAY, TOMORROW))
    assert [path for path, _ in stand_in.calls()] == [COSTS]


@responses.activate
def test_cookies_are_not_kept():
    url = "https://provider.example/v1/organization/costs"
    page = {"data": [], "has_more": False}
    responses.get(url, json=page, headers={"Set-Cookie": "tracking=1; Path=/"})
    http = Http()
    client = OpenAIClient("sk-admin-x", "https://provider.example/v1", http)
    for _ in range(2):
        list(client.costs(TODAY, TOMORROW))
    http.close()
    assert "Cookie" not in responses.calls[1].request.headers


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "host/v1",
        "https://",
        "https://user:word@host/v1",
        "https://good.example\\@127.0.0.1/",
        "https://host/v1?key=1",
        "https://host/v1#x",
        "https://host /v1",
        "https://hóst/v1",
        "https://host:0/v1",
        "https://host:99999/v1",
        "",
    ],
)
def test_a_base_url_that_parsers_may_read_differently_is_refused(url: str):
    with pytest.raises(ValueError):
        clean_base_url(url)


def test_a_base_url_loses_its_trailing_slash():
    assert clean_base_url("https://api.openai.com/v1/") == "https://api.openai.com/v1"
