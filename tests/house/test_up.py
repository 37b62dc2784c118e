"""`./run` as a whole, on a scratch product: it starts everything, looks after it, and ends all of it."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from scripts import children, first_start, house
from scripts.house import House

PATIENCE_SECONDS = 60

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="looks processes up in /proc, which only Linux has"
)


def _wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _start(product: House, port: int, **more: str) -> subprocess.Popen[str]:
    bare = {"PATH": os.environ["PATH"], "HOME": str(product.root), "PORT": str(port), "REDIS_URL": "unix:///given.sock"}
    return subprocess.Popen(
        [sys.executable, "run"],
        cwd=product.root,
        env=bare | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def _running(product: House, port: int, out: list[str], until: str = "Set up:") -> Iterator[subprocess.Popen[str]]:
    """The launcher, once it said where it is; ended by Ctrl-C."""
    process = _start(product, port)
    assert process.stdout is not None, "started with a pipe"
    try:
        for line in process.stdout:
            out.append(line)
            if until in line:
                break
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        out.extend(process.stdout)
        process.wait(timeout=PATIENCE_SECONDS)
        process.stdout.close()


def _members(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_starts_everything_says_where_and_ends_everything_on_ctrl_c(product: House):
    port = house.free_port()
    out: list[str] = []

    with _running(product, port, out) as process:
        sessions = _members(process.pid)
        with closing(socket.create_connection(("127.0.0.1", port))) as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = line.makefile("rb").read()

    said = "".join(out)
    assert b"1 unix:///given.sock" in answer
    assert "release | migrated" in said
    assert f"TokenBoard is at http://localhost:{port}" in said
    assert "run     | Set up: http://localhost/setup/once" in said
    assert process.returncode == 0
    assert len(sessions) >= 3
    assert [member for session in sessions for member in children.session_members(session)] == []


def test_who_has_an_administrator_is_not_asked_again(product: House):
    """The question costs a second of every warm start."""
    asked = product.root / "asked"
    (product.venv / "bin" / "flask").write_text(f'#!/bin/sh\necho "$*" >> "{asked}"\n')
    with closing(sqlite3.connect(first_start.embedded_database(product))) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")

    for _ in range(2):
        with _running(product, house.free_port(), [], until="TokenBoard is at"):
            mark = product.instance / "administrator.stamp"
            _wait_for(mark.exists)

    assert asked.read_text().splitlines().count("--app wsgi accounts setup-link") == 1


def test_a_second_one_in_the_same_folder_is_refused_with_a_sentence(product: House):
    port = house.free_port()

    with _running(product, port, []):
        same_port = _start(product, port).communicate(timeout=PATIENCE_SECONDS)[0]
        second = _start(product, house.free_port())
        other_port = second.communicate(timeout=PATIENCE_SECONDS)[0]

    assert same_port.startswith(f"Port {port} is already taken")
    assert same_port.count("\n") == 1
    assert other_port == "TokenBoard is already running from this folder; stop that one first.\n"
    assert second.returncode == 2


def test_a_worker_that_is_killed_comes_back(product: House):
    out: list[str] = []

    with _running(product, house.free_port(), out) as process:
        victim = next(pid for pid in _members(process.pid) if b"worker.py" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(victim, signal.SIGKILL)
        assert process.stdout is not None, "started with a pipe"
        for line in process.stdout:
            out.append(line)
            if line.startswith("worker") and "ready" in line and "ended" in "".join(out):
                break

    assert "worker  | ended (killed by SIGKILL); starting again in 0.5 s" in "".join(out)


def test_a_failed_migration_stops_the_start(product: House):
    (product.venv / "bin" / "flask").write_text("#!/bin/sh\necho 'DATABASE_URL must begin with postgres://'\nexit 1\n")

    process = _start(product, house.free_port())
    said = process.communicate(timeout=PATIENCE_SECONDS)[0]

    assert process.returncode == 2
    assert "release | DATABASE_URL must begin with postgres://" in said
    assert "The release step `flask db upgrade` failed with exit code 1; what it said is above." in said


def test_a_product_that_cannot_start_gives_up_with_a_sentence(product: House):
    (product.root / "web.py").write_text("raise SystemExit('SECRET_KEY is too short')\n")

    process = _start(product, house.free_port())
    said = process.communicate(timeout=PATIENCE_SECONDS)[0]

    assert process.returncode == 2
    assert "web     | SECRET_KEY is too short" in said
    assert said.splitlines()[-1] == "`web` ended 3 times at the start; what it said is above."
