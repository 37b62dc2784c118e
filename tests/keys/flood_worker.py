"""`python -m tests.keys.flood_worker callback|log [--die-at N]`: one worker of the flood, a process of its own.

It books deliveries, or reads the log, until there is nothing left. With `--die-at` it is killed, as by the system,
right after its n-th statement: inside whatever transaction that is.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests.conftest import settings_with
from tokenboard.app import create_app
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import spend_queries, spend_tasks
from tokenboard.web.clients import clients


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.keys.flood_worker")
    parser.add_argument("feed", choices=("callback", "log"))
    parser.add_argument("--die-at", type=int, default=0)
    asked = parser.parse_args()
    where = (os.environ[name] for name in ("FLOOD_DATABASE", "FLOOD_REDIS", "FLOOD_SANDBOX", "FLOOD_FOLDER"))
    database, redis, sandbox, folder = where
    app = create_app(settings_with(database, redis, sandbox, Path(folder)))
    with app.app_context():
        if asked.die_at:
            _die_at(asked.die_at)
        return _read() if asked.feed == "log" else _book()


def _die_at(statements: int) -> None:
    left = [statements]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(db.engine, "after_cursor_execute", count)


def _book() -> int:
    while spend_queries.due_batches(now(), 1):
        db.session.commit()
        spend_tasks.sweep_spend()
    return 0


def _read() -> int:
    return 0 if spend_tasks.read(clients().litellm(), clients().house_key_hashes()) is not None else 1


if __name__ == "__main__":
    sys.exit(main())
