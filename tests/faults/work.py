"""The worker of these tests: `python -m tests.faults.work INSTANCE ORDER [JOB …]`, in a hurry, with barriers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flask import Flask

from tests.faults import points
from tokenboard.app import create_app
from tokenboard.core import jobs
from tokenboard.core.config import load_settings
from tokenboard.ops import worker
from tokenboard.ops.periodic import Periodic
from tokenboard.ops.worker import Pace

# As in schedule.py, in seconds instead of twenty seconds and an hour.
SWEEP = Periodic("billing-sweep", "billing.sweep", "* * * * * *", runs_without_queue=True)
RECONCILE = Periodic("billing-reconcile", "billing.reconcile", "* * * * * */2")


def main() -> None:
    instance, order, *jobs_wanted = sys.argv[1:]
    settings = load_settings(os.environ, instance_path=Path(instance))
    app = create_app(settings)
    jobs.host(app)
    points.watch_worker(points.Barrier(Path(order), points.ends_of_worker()))

    def make_app() -> Flask:
        return app

    periodic = tuple(one for one in (SWEEP, RECONCILE) if one.task in jobs_wanted)
    worker.run(make_app, settings, periodic, Pace(worker_ttl=17, maintenance_seconds=1, monitoring_seconds=1))


if __name__ == "__main__":
    main()
