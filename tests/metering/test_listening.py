"""Readers of one answer: several, late ones, ones that come back, and ones in another process."""

from __future__ import annotations

import threading

import pytest

from tests.faults.upstream import script
from tests.metering.answers import QUICK, SLOW, begun, end_of, started, text_of
from tests.people import People
from tokenboard.metering.generations import Generations
from tokenboard.metering.listening import listen
from tokenboard.metering.stream_events import Delta, Ended, StreamEvent


def test_two_readers_and_one_that_comes_back_hear_the_same(shop: People, running: Generations):
    call = begun(shop)
    generation = started(running, call)
    heard: list[list[StreamEvent]] = []
    other = threading.Thread(target=lambda: heard.append(list(generation.listen())))
    other.start()
    first = next(generation.listen())
    assert isinstance(first, Delta)
    rest = list(generation.listen(first.to_char))
    other.join(20)

    assert first.text + text_of(rest) == script(QUICK)
    assert text_of(heard[0]) == script(QUICK)


def test_who_comes_after_the_end_is_answered_from_the_database(shop: People, running: Generations):
    call = begun(shop)
    first = list(started(running, call).listen())
    again = list(listen(call.id, 30))

    assert text_of(again) == script(QUICK)[30:]
    assert end_of(again).settled.credits_micros == end_of(first).settled.credits_micros
    assert end_of(again).settled.is_replay


def test_another_process_hears_the_answer_too(shop: People, running: Generations, monkeypatch: pytest.MonkeyPatch):
    call = begun(shop)
    generation = started(running, call)
    elsewhere = Generations(shop.app, shop.app.extensions["settings"])
    monkeypatch.setitem(shop.app.extensions, "generations", elsewhere)
    events = list(listen(call.id))

    assert text_of(events) == script(QUICK)
    assert end_of(events).reason == "ok"
    assert generation.tape.ended is not None


def test_a_stop_reaches_the_process_that_writes(shop: People, running: Generations):
    call = begun(shop, SLOW)
    events = started(running, call).listen()
    next(events)
    elsewhere = Generations(shop.app, shop.app.extensions["settings"])
    elsewhere.stop(call.id)

    assert end_of(list(events)).reason == "stopped"


def test_nobody_hears_of_an_answer_that_is_not_there(shop: People, running: Generations):
    [end] = listen("00000000-0000-0000-0000-000000000000")

    assert isinstance(end, Ended)
    assert end.error.code == "not_found"
