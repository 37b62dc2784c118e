"""The answers a process is writing: how many it takes, where each is found, and how all of them end at a deploy.

Laws: past its limit a process refuses before anything is held, it never queues; a place is taken when the question
comes and given back when its request ends without an answer, so that a crowd cannot slip past the count; while the
process is ending it takes none.
"""

from __future__ import annotations

import _thread
import logging
import threading
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask, current_app, g, has_app_context
from sqlalchemy import Engine

from tokenboard.core import clock, db as database
from tokenboard.core.config import Settings
from tokenboard.core.db import db
from tokenboard.core.errors import Busy
from tokenboard.core.green import connect_our_way, is_green
from tokenboard.core.money import nano_from_usd
from tokenboard.metering import recording, relay_rules
from tokenboard.metering.bell import Bell
from tokenboard.metering.facts import OpenCall
from tokenboard.metering.hub import Hub
from tokenboard.metering.recorder import Recorder
from tokenboard.metering.relaying import DEPLOYED, Desk, Generation, OnSettled, charge_of
from tokenboard.providers.chat_client import ChatCall

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
# Half of the pool: whoever begins does not wait behind all who end.
SETTLING_AT_ONCE = database.POOL_SIZE // 2
# Answers that are being begun: the next would wait about a second for its turn, and is told at once instead.
BEGINNING_AT_ONCE = 200
_LOOK_SECONDS = 0.05
_STATEMENT_TIMEOUT_MILLISECONDS = 5_000
_PLACE = "place_for_an_answer"
_KIND = {True: "gevent", False: "threads"}


class Generations:
    """One a process."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.limit = settings.max_streams_per_process or relay_rules.STREAMS_PER_PROCESS[_KIND[is_green()]]
        self.is_ending = False
        self.hub = Hub(settings.redis_url, self._stop_here)
        self.recorder = Recorder(lambda notes: recording.write(self._engine, notes, clock.now()))
        self._app = app
        self._settings = settings
        self._running: dict[str, Generation] = {}
        self._reserved = 0
        self.settling = threading.Semaphore(SETTLING_AT_ONCE)
        self._lock = threading.Lock()
        self._own_engine: Engine | None = None

    def refuse_if_crowded(self) -> None:
        """Ask before anything at all: no connection is waited for when there is no place anyway. Raises: Busy."""
        is_full = len(self._running) + self._reserved >= self.limit or self._reserved >= BEGINNING_AT_ONCE
        if self.is_ending or is_full:
            why = "is being restarted" if self.is_ending else "writes as many answers as it can"
            raise Busy(f"This site {why} right now. Try again in a moment.", retry_after_seconds=RETRY_AFTER_SECONDS)

    def refuse_if_full(self) -> None:
        """Ask before anything is held; keeps a place for this request's answer. Raises: Busy."""
        with self._lock:
            self.refuse_if_crowded()
            if has_app_context() and not g.get(_PLACE):
                self._reserved += 1
                setattr(g, _PLACE, self)

    def give_place_back(self) -> None:
        """At the end of a request that began no answer."""
        with self._lock:
            self._reserved -= 1

    def start(
        self, call: OpenCall, chat_call: ChatCall, *, on_settled: OnSettled, is_bound: bool = False
    ) -> Generation:
        """Let a call run, in a thread of its own. Its hold must be committed.

        `on_settled` runs inside the settling transaction, with the settlement and the whole text; possibly again, when
        that transaction has to be repeated. `is_bound`: it ends soon after its last listener left.
        """
        desk = Desk(self._app, self.recorder, self, self._pause_seconds, self.settling, self._charge_of)
        client = self._app.extensions["clients"].chat()
        generation = Generation(desk, client, call, chat_call, on_settled, is_bound=is_bound)
        with self._lock:
            self._running[call.id] = generation
            if has_app_context() and g.pop(_PLACE, None) is not None:
                self._reserved -= 1
        self.hub.start()
        _thread.start_new_thread(generation.run, ())  # a Thread object would wait for its start and be remembered
        if self.is_ending:
            generation.end(DEPLOYED)
        return generation

    def find(self, call_id: str) -> Generation | None:
        """The answer, when this process writes it."""
        return self._running.get(call_id)

    def stop(self, call_id: str) -> None:
        """Ring whichever process writes it; to be called once `service.request_stop` is committed."""
        if not self._stop_here(call_id):
            self.hub.stop(call_id)

    def _stop_here(self, call_id: str) -> bool:
        generation = self._running.get(call_id)
        if generation is not None:
            generation.stop()
        return generation is not None

    @property
    def running(self) -> int:
        """How many answers are being written."""
        return len(self._running)

    def drain(self, seconds: float) -> int:
        """End all answers and wait until they are settled. How many are not after that time: the sweeper's."""
        self.is_ending = True
        until = clock.monotonic() + seconds
        for generation in list(self._running.values()):
            generation.end(DEPLOYED, within_seconds=seconds)
        while self._running and clock.monotonic() < until:
            Bell().wait(_LOOK_SECONDS)
        if self._running:
            log.warning("answers_not_settled", extra={"answers": len(self._running)})
        return len(self._running)

    # What a generation tells.

    def news(self, call_id: str) -> None:
        self.hub.news(call_id)

    def ended(self, call_id: str) -> None:
        with self._lock:
            self._running.pop(call_id, None)
        self.hub.ended(call_id)

    def _pause_seconds(self) -> float:
        return relay_rules.pause_seconds(len(self._running))

    def _charge_of(self, call: OpenCall) -> Callable[[int], int]:
        return charge_of(call, nano_from_usd(self._settings.credit_value_usd))

    @property
    def _engine(self) -> Engine:
        """The recorder's own line: it must not wait behind requests for one of the pool's connections."""
        if self._own_engine is None:
            with self._app.app_context():
                self._own_engine = db.engine if self._settings.is_sqlite else self._new_engine(db.engine.url)
        return self._own_engine

    def _new_engine(self, url: sa.URL) -> Engine:
        options = database.engine_options(self._settings)
        timeout = f"-c statement_timeout={_STATEMENT_TIMEOUT_MILLISECONDS} -c timezone=UTC"
        options["connect_args"] |= {"options": timeout, "tcp_user_timeout": 10_000}
        engine = sa.create_engine(url, **(options | {"pool_size": 1, "isolation_level": "AUTOCOMMIT"}))
        connect_our_way(engine)
        return engine


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its generations. Nothing runs until the first answer."""
    app.extensions["generations"] = Generations(app, settings)
    app.teardown_appcontext(_give_place_back)


def _give_place_back(_error: BaseException | None) -> None:
    keeper: Generations | None = g.pop(_PLACE, None)
    if keeper is not None:
        keeper.give_place_back()


def generations() -> Generations:
    """The current application's."""
    found: Generations = current_app.extensions["generations"]
    return found
