"""Answers under way, on both databases and over real HTTP: what is heard, what is charged, how they end."""

from __future__ import annotations

import contextlib

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.faults.checking import wait_until
from tests.faults.upstream import script
from tests.metering.answers import QUICK, REFUSED, SLOW, begun, end_of, recorded, row_of, started, text_of
from tests.people import People
from tokenboard.core.db import db
from tokenboard.core.errors import Busy
from tokenboard.metering import service
from tokenboard.metering.facts import Settled
from tokenboard.metering.generations import BEGINNING_AT_ONCE, SETTLING_AT_ONCE, Generations
from tokenboard.metering.listening import listen
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.stream_events import Delta


def test_an_answer_is_heard_whole_and_ends_with_what_it_cost(shop: People, running: Generations):
    call = begun(shop)
    events = list(started(running, call).listen())

    assert text_of(events) == script(QUICK)
    end = end_of(events)
    assert (end.reason, end.error) == ("ok", None)
    assert end.settled.completion_tokens == 40
    assert end.settled.credits_micros == 12 * 250 + 40 * 1_000
    assert row_of(call).state == "settled"


def test_the_room_is_told_inside_the_settling_transaction(shop: People, running: Generations):
    told: list[tuple[Settled, str, str]] = []
    call = begun(shop)

    def take(settled: Settled, text: str) -> None:
        row = db.session.get_one(MeteredCall, call.id)
        told.append((settled, text, row.state))

    list(started(running, call, on_settled=take).listen())

    [(settled, text, state)] = told
    assert settled.call_id == call.id
    assert text == script(QUICK)
    assert state == "settled"


def test_a_fault_of_the_room_does_not_cost_the_settlement(shop: People, running: Generations):
    def fail(_settled: Settled, _text: str) -> None:
        raise RuntimeError("the room is broken")

    events = list(started(running, begun(shop), on_settled=fail).listen())

    assert end_of(events).settled.credits_micros > 0


def test_everything_heard_was_recorded_before(shop: People, running: Generations):
    call = begun(shop, SLOW)
    events = started(running, call).listen()
    for _ in range(5):
        delta = next(events)
        assert isinstance(delta, Delta)
        assert row_of(call).recorded_chars >= delta.to_char
        assert recorded(call).startswith(script(SLOW)[: delta.to_char])
    running.find(call.id).stop()


def test_a_stop_keeps_and_charges_what_came_and_stops_the_upstream(shop: People, running: Generations):
    call = begun(shop, SLOW)
    generation = started(running, call)
    events = generation.listen()
    heard = [next(events), next(events)]
    generation.stop()
    heard += list(events)

    end = end_of(heard)
    assert end.reason == "stopped"
    assert script(SLOW).startswith(text_of(heard))
    row = row_of(call)
    assert row.recorded_chars == len(text_of(heard))
    assert end.settled.is_estimated
    assert end.settled.credits_micros == service.watermark_micros(call, row.recorded_bytes) > 0


def test_a_stop_asked_for_elsewhere_is_heard_with_the_next_tick(shop: People, running: Generations):
    call = begun(shop, SLOW)
    events = started(running, call).listen()
    next(events)
    service.request_stop(call_id=call.id)
    db.session.commit()

    assert end_of(list(events)).reason == "stopped"


def test_an_upstream_that_ignores_its_limit_is_stopped_and_the_rest_is_not_charged(shop: People, running: Generations):
    call = begun(shop, SLOW, max_output_tokens=20)
    events = list(started(running, call).listen())

    assert end_of(events).reason == "length"
    assert len(text_of(events)) < 2_000
    assert end_of(events).settled.credits_micros <= call.held_micros


def test_an_upstream_that_refuses_costs_nothing(shop: People, running: Generations):
    call = begun(shop, REFUSED)  # the upstream breaks the connection on it
    events = list(started(running, call).listen())

    end = end_of(events)
    assert (end.reason, end.settled.credits_micros) == ("failed", 0)
    assert end.error.code
    assert row_of(call).error_code == end.error.code


def test_a_bound_answer_ends_soon_after_its_reader_left(shop: People, running: Generations):
    call = begun(shop, SLOW)
    events = started(running, call, is_bound=True).listen()
    next(events)
    events.close()
    generation = running.find(call.id)
    if generation is not None:
        list(generation.tape.listen())  # until it has ended

    assert row_of(call).error_code == "client_gone"


def test_an_answer_of_chat_runs_on_when_its_reader_left(shop: People, running: Generations):
    call = begun(shop)
    events = started(running, call).listen()
    next(events)
    events.close()

    assert text_of(list(listen(call.id))) == script(QUICK)


def test_a_deploy_ends_answers_with_a_word_and_settles_them(shop: People, running: Generations):
    calls = [begun(shop, SLOW) for _ in range(3)]
    readers = [started(running, call).listen() for call in calls]
    for reader in readers:
        next(reader)

    assert running.drain(20) == 0
    ends = [end_of(list(reader)) for reader in readers]
    assert {(end.reason, end.error.code) for end in ends} == {("interrupted", "restarting")}
    assert all(end.settled.credits_micros > 0 for end in ends)
    assert [row_of(call).state for call in calls] == ["settled"] * 3
    with pytest.raises(Busy):
        running.refuse_if_full()


def test_a_full_process_refuses_and_a_place_given_back_can_be_taken(sqlite_app: Flask):
    running = Generations(sqlite_app, sqlite_app.extensions["settings"])
    running.limit = 1
    with sqlite_app.app_context():
        running.refuse_if_full()
        with sqlite_app.app_context(), pytest.raises(Busy) as refused:
            running.refuse_if_full()
    with sqlite_app.app_context():
        running.refuse_if_full()

    assert refused.value.retry_after_seconds > 0


def test_a_process_in_which_too_many_begin_refuses_the_next(sqlite_app: Flask):
    running = Generations(sqlite_app, sqlite_app.extensions["settings"])
    running.limit = 2 * BEGINNING_AT_ONCE
    with contextlib.ExitStack() as requests:
        for _ in range(BEGINNING_AT_ONCE):
            requests.enter_context(sqlite_app.app_context())
            running.refuse_if_full()
        requests.enter_context(sqlite_app.app_context())
        with pytest.raises(Busy):
            running.refuse_if_crowded()
        with pytest.raises(Busy):
            running.refuse_if_full()

    running.refuse_if_crowded()


def test_an_answer_settles_when_its_turn_has_come(shop: People, running: Generations):
    for _ in range(SETTLING_AT_ONCE):
        running.settling.acquire()
    call = begun(shop)
    events = started(running, call).listen()
    heard = [next(events)]
    while text_of(heard) != script(QUICK):
        heard.append(next(events))
    assert row_of(call).state == "open"

    running.settling.release()

    assert end_of(list(events)).settled.credits_micros > 0
    assert row_of(call).state == "settled"


def test_no_connection_is_held_while_answers_stream(shop: People, running: Generations):
    calls = [begun(shop, SLOW, person_id=None) for _ in range(20)]
    readers = [started(running, call).listen() for call in calls]
    for reader in readers:
        next(reader)
    db.session.rollback()

    wait_until(lambda: _connections_held(db.engine) == 0)
    running.drain(20)
    for reader in readers:
        list(reader)


def _connections_held(engine: sa.Engine) -> int:
    """How many of the pool's somebody holds. On SQLite the recorder takes one now and then; a stream would keep it."""
    return int(engine.pool.checkedout())  # type: ignore[attr-defined]
