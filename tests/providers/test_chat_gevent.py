"""Greenlets: many streams at once, one that is stopped while it waits, and a hub that goes on meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

from tests.providers.raw_upstream import ANSWER, RawUpstream
from tokenboard.core.config import ROOT


def test_streams_run_and_stop_on_greenlets(upstream: RawUpstream, tmp_path: Path):
    for _ in range(10):
        upstream.say(*ANSWER)
    upstream.say(threading.Event())
    certificate = str(tmp_path / "upstream.pem") if upstream.tls else ""

    command = [sys.executable, "-W", "error", "-m", "tests.providers.gevent_streams", upstream.url, certificate]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answers"] == ["Hello"] * 10
    assert told["stopped"] == ""
    assert told["stopped_in_seconds"] < 1
    assert told["ticks"] > 5, "while one stream waited the others could go on"
