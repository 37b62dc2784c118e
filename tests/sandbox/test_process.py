"""The sandbox as `./run` starts it: a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]


def _start(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tokenboard.sandbox", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | environ, stdout=pipe, stderr=pipe, text=True)


def test_it_says_where_it_listens_answers_and_ends_when_told(tmp_path: Path):
    with _start("--port", "0", "--database", str(tmp_path / "deep" / "sandbox.db")) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert url.startswith("http://127.0.0.1:")
        assert "sk-admin-sandbox" in requests.get(url, timeout=5).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_a_taken_port_is_a_clear_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with _start("--port", port, "--database", str(tmp_path / "sandbox.db")) as process:
            _, said = process.communicate(timeout=10)
    assert process.returncode == 1
    assert said == f"The sandbox cannot listen on port {port}: Address already in use.\n"


def test_production_has_no_sandbox(tmp_path: Path):
    with _start("--port", "0", "--database", str(tmp_path / "sandbox.db"), TOKENBOARD_ENV="production") as process:
        _, said = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "refused in production" in said
