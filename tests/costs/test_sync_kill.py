"""kill -9 of a real worker process in mid-sync: nothing is lost and the run completes by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import time_machine

from tests.costs.syncing import Syncing
from tests.costs.test_sync_leases import check_agreement
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs import sync_rules, tasks

USAGE = "/openai/v1/organization/usage/completions"
# A worker at its job and nothing else: `./run`'s worker forks exactly this.
WORKER = """
import os, sys
from pathlib import Path
from tokenboard.app import create_app
from tokenboard.core.config import load_settings
from tokenboard.costs import tasks
app = create_app(load_settings(os.environ, instance_path=Path(os.environ["INSTANCE"])))
with app.app_context():
    tasks.run_sync(sys.argv[1])
"""


def worker_process(syncing: Syncing, run_id: str) -> subprocess.Popen[bytes]:
    settings = syncing.app.extensions["settings"]
    environ = {
        "PATH": os.environ["PATH"],
        "INSTANCE": str(settings.instance_path),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SANDBOX_URL": settings.sandbox_url,
    }
    return subprocess.Popen([sys.executable, "-c", WORKER, run_id], env=environ, stdout=subprocess.DEVNULL)


def days_done(syncing: Syncing, run_id: str) -> int:
    return syncing.run(run_id).days_done


def wait_until(is_so: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "the worker did not get there"
        time.sleep(0.01)


def test_a_killed_workers_run_completes_by_itself(syncing: Syncing, run_jobs: Callable[[], int]):
    syncing.order("settings", {"slow_seconds": 60})
    syncing.fault("slow", USAGE)  # whatever happens, the worker does not get past the first usage page
    connection = syncing.connect_for(days=62)
    run_id = syncing.waiting(connection).id
    db.session.remove()

    with worker_process(syncing, run_id) as worker:
        wait_until(lambda: days_done(syncing, run_id) >= sync_rules.BATCH_DAYS)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(10)

    left = syncing.run(run_id)
    assert (left.state, worker.returncode) == ("running", -signal.SIGKILL)
    check_agreement(connection)
    assert len(syncing.days(connection)) >= left.days_done >= sync_rules.BATCH_DAYS
    db.session.remove()
    syncing.order("reset", {})  # the provider is quick again

    with time_machine.travel(now() + sync_rules.LEASE + timedelta(seconds=1)):
        tasks.sweep()
        db.session.remove()
        assert run_jobs() > 0

    assert syncing.run(run_id).state == "done"
    assert len(syncing.days(connection)) == 62
    check_agreement(connection)
