"""Many at once: real threads, each with its own session, let go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from flask import Flask

from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError

T = TypeVar("T")


def at_once(app: Flask, calls: Sequence[Callable[[], T]]) -> list[Any]:
    """Call all of them at the same moment, each in its own thread and transaction; what each answered or refused."""
    barrier = Barrier(len(calls))
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: in_a_session(app, call, barrier), calls))


def in_a_session(app: Flask, call: Callable[[], T], barrier: Barrier | None = None) -> T | TokenBoardError:
    """What a door does: call, commit, answer; roll back what is refused."""
    with app.app_context():
        if barrier is not None:
            barrier.wait()
        try:
            result = call()
            db.session.commit()
        except TokenBoardError as error:
            db.session.rollback()
            return error
        return result


def in_turns(app: Flask, lanes: Sequence[Sequence[Callable[[], T]]]) -> list[Any]:
    """Each lane is a thread that makes its calls one after the other; all lanes begin together."""
    barrier = Barrier(len(lanes))

    def run(lane: Sequence[Callable[[], T]]) -> list[T | TokenBoardError]:
        barrier.wait()
        return [in_a_session(app, call) for call in lane]

    with ThreadPoolExecutor(len(lanes)) as pool:
        return [answer for answers in pool.map(run, lanes) for answer in answers]
