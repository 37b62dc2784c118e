"""The end of a web process: its answers end with a word, settled, before gunicorn's patience does.

Laws: gunicorn's own handler runs as ever; a signal handler only starts a thread; a second signal changes nothing;
answers without a reader are waited for as well. Source: reference/reliability.md, F15 (SIGTERM to every process of a
dyno, SIGKILL 30 s later); gunicorn 27.0.1, workers/base.py (`handle_exit` says no new requests, nothing more).
"""

from __future__ import annotations

import _thread
import signal
from types import FrameType

from flask import Flask

from tokenboard.metering.generations import Generations

DRAIN_SECONDS = 18.0  # of gunicorn.conf.py's 25; the readers' last words need some of it


def attend(app: Flask) -> None:
    """From now on SIGTERM ends this process's answers too. Called in the main thread, after gunicorn's own handler."""
    gunicorns = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        _thread.start_new_thread(finish, (app,))
        if callable(gunicorns):
            gunicorns(number, frame)

    signal.signal(signal.SIGTERM, end)
    signal.siginterrupt(signal.SIGTERM, False)


def finish(app: Flask) -> int:
    """End and settle what is still being written. How many answers are left to the sweeper."""
    running: Generations = app.extensions["generations"]
    return running.drain(DRAIN_SECONDS)
