"""A real worker process for the tests: `python -m tests.ops.worker_process INSTANCE_FOLDER`, in a hurry."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from flask import Flask

from tokenboard.app import create_app
from tokenboard.core import jobs
from tokenboard.core.config import load_settings
from tokenboard.core.jobs import task
from tokenboard.ops import worker
from tokenboard.ops.periodic import Periodic
from tokenboard.ops.worker import Pace

SLOW_SECONDS = 60


@task("tests.slow_once")
def slow_once(path: str) -> None:
    """The first time: say who works, then work for a minute. After that: say who works, and be done."""
    with Path(path).open("a+", encoding="utf-8") as notes:
        notes.seek(0)
        is_first = not notes.read()
        notes.write(f"{os.getpid()}\n")
    if is_first:
        time.sleep(SLOW_SECONDS)


@task("tests.sweep_into")
def sweep_into() -> None:
    """Leave a line for every sweep."""
    with (Path(sys.argv[1]) / "sweeps").open("a", encoding="utf-8") as notes:
        notes.write("swept\n")


def main() -> None:
    settings = load_settings(os.environ, instance_path=Path(sys.argv[1]))
    app = create_app(settings)
    jobs.host(app)

    def make_app() -> Flask:
        return app

    sweeping = Periodic("sweep-into", "tests.sweep_into", "* * * * * *", runs_without_queue=True)
    worker.run(make_app, settings, (sweeping,), Pace(worker_ttl=17, maintenance_seconds=1, monitoring_seconds=1))


if __name__ == "__main__":
    main()
