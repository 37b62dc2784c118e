"""Where the project's folders are, what the environment says, and how a missing piece is told.

Laws: standard library only; a `Refusal` is one sentence for a person and ends `./run` with exit code 2.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8000


class Refusal(Exception):
    """Why `./run` cannot go on, as one sentence for a person."""

    exit_code = 2


class NoChromium(Refusal):
    """The browser tests have no browser; `.ci/run` tells this from a failed test by its own exit code."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class House:
    """One project folder. Tests point it at a scratch project."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def instance(self) -> Path:
        """Everything a running TokenBoard writes; made on first use, closed to other users."""
        path = self.root / "instance"
        path.mkdir(mode=0o700, exist_ok=True)
        return path


def here() -> House:
    """The project this file belongs to."""
    return House(Path(__file__).resolve().parent.parent)


def digest(*parts: str | bytes) -> str:
    """A short name for some content, for stamps and socket folders; nothing secret hangs on it."""
    joined = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        joined.update(len(content).to_bytes(8, "big") + content)
    return joined.hexdigest()[:32]


def dotenv(text: str) -> dict[str, str]:
    """The `NAME=value` lines of a `.env` file; quotes around a value are taken off. Raises: Refusal."""
    found = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise Refusal(f".env, line {number}: expected NAME=value.")
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def environment(house: House, *, with_dotenv: bool) -> dict[str, str]:
    """The environment of every child, `.venv` first on its PATH.

    `.env` is for running the product, under what is set by hand; tests and checks do not see it.
    """
    file = house.root / ".env"
    settings = dotenv(file.read_text(encoding="utf-8")) if with_dotenv and file.is_file() else {}
    settings.update(os.environ)
    settings["PATH"] = f"{house.venv / 'bin'}{os.pathsep}{settings.get('PATH', os.defpath)}"
    settings["VIRTUAL_ENV"] = str(house.venv)
    settings["PYTHONUNBUFFERED"] = "1"  # a log line is worth something when it is written, not when the buffer is full
    settings.pop("PYTHONHOME", None)
    settings.pop("PYTHONDONTWRITEBYTECODE", None)  # without compiled modules a warm start takes as long as a cold one
    return settings


def is_production(settings: Mapping[str, str]) -> bool:
    return settings.get("TOKENBOARD_ENV", "").strip() == "production"


def port_of(settings: Mapping[str, str]) -> int:
    """The port to answer on. Raises: Refusal."""
    text = settings.get("PORT", "").strip() or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise Refusal(f"PORT is {text!r}, which is no port: set a number from 1 to 65535.")
    return int(text)


def host_of(settings: Mapping[str, str]) -> str:
    """The address to bind, by the same rule as gunicorn.conf.py."""
    is_public = is_production(settings) or "DYNO" in settings
    return settings.get("HOST", "").strip() or ("0.0.0.0" if is_public else "127.0.0.1")  # noqa: S104 - as Heroku needs


def refuse_taken_port(host: str, port: int) -> None:
    """Raises: Refusal when nothing could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise Refusal(f"Port {port} needs root; choose one above 1023: PORT=8000 ./run") from error
        except OSError as error:
            raise Refusal(_port_sentence(host, port, error)) from error


def _port_sentence(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"HOST is {host!r}, which is no address of this machine."
    return f"Port {port} is already taken on {host}: stop what uses it, or choose another: PORT={free_port()} ./run"


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def exclusive(path: Path, taken: str | None = None) -> Iterator[None]:
    """Hold a lock file; a second holder waits, or is refused with the sentence `taken`. Ends with the process."""
    import fcntl  # imported late: Windows has none, and `./run` says so in its own sentence

    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if taken else 0))
        except BlockingIOError as error:
            raise Refusal(taken or "") from error
        yield
