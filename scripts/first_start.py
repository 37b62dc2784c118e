"""What is known from the last start, and the words that greet this one.

Laws: a warm start skips the `release` line only when the SQLite file itself says that it stands where the line left it;
any other database is asked each time. The set-up link is one-time and comes from the product, never from here.
"""

from __future__ import annotations

import http.client
import sqlite3
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from scripts.children import Log
from scripts.house import House, digest, is_production

_DATABASE_NAMES = ("DATABASE_URL", "POSTGRES_URL", "POSTGRES_PRISMA_URL", "DIRECT_URL")  # as tokenboard/core/config.py
_ASK_EVERY_SECONDS = 0.05
_PATIENCE_SECONDS = 120


def is_embedded_database(settings: Mapping[str, str]) -> bool:
    """Whether the product keeps its rows in instance/, as it does when no setting names a database."""
    names = [name for base in _DATABASE_NAMES for name in (base, f"{base}_FILE")]
    return not any(settings.get(name, "").strip() for name in names)


def embedded_database(house: House) -> Path:
    return house.instance / "tokenboard.sqlite3"


def alembic_version(file: Path) -> str:
    """The migrations a SQLite file has seen; empty when it cannot say."""
    if not file.is_file():
        return ""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
            return ",".join(row[0] for row in database.execute("SELECT version_num FROM alembic_version ORDER BY 1"))
    except sqlite3.Error:
        return ""


class ReleaseStamp:
    """Which code, migrations and database the last `release` left behind."""

    def __init__(self, house: House, settings: Mapping[str, str], line: str) -> None:
        self._house = house
        self._is_embedded = is_embedded_database(settings)
        self._line = line

    def is_current(self) -> bool:
        version = alembic_version(embedded_database(self._house))
        if not self._is_embedded or not version or not self._file.is_file():
            return False
        return self._file.read_text(encoding="utf-8") == self._content(version)

    def write(self) -> None:
        version = alembic_version(embedded_database(self._house)) if self._is_embedded else ""
        if version:
            self._file.write_text(self._content(version), encoding="utf-8")

    @property
    def _file(self) -> Path:
        return self._house.instance / "release.stamp"

    def _content(self, version: str) -> str:
        files = sorted((self._house.root / "migrations").rglob("*.py"))
        named = [part for file in files for part in (file.name, file.read_bytes())]
        return digest(self._line, version, *named)


class Welcome:
    """Waits for the first page in the background, then says where it is and, once, how to sign in."""

    def __init__(
        self, house: House, settings: Mapping[str, str], host: str, port: int, began_at: float, log: Log
    ) -> None:
        self.is_said = False
        self._house = house
        self._settings = dict(settings)
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        self._port = port
        self._began_at = began_at
        self._log = log
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._greet, name="welcome", daemon=True)

    def __enter__(self) -> Welcome:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()

    def _greet(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            if self._is_over.wait(_ASK_EVERY_SECONDS) or time.monotonic() > deadline:
                return
        self.is_said = True
        took_seconds = time.monotonic() - self._began_at
        self._log.line("run", f"TokenBoard is at {self.address} (after {took_seconds:.1f} s); Ctrl-C ends it")
        self._say_how_to_sign_in()

    @property
    def address(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host.replace("127.0.0.1", "localhost")
        return self._settings.get("BASE_URL", "").strip() or f"http://{host}:{self._port}"

    def _answers(self) -> bool:
        try:
            with closing(http.client.HTTPConnection(self._host, self._port, timeout=2)) as line:
                line.request("GET", "/healthz")
                line.getresponse().read(1024)
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _say_how_to_sign_in(self) -> None:
        """Ask for the one-time set-up link until there is an administrator; who has one is not asked again."""
        mark = self._house.instance / "administrator.stamp"
        known = self._identity()
        if known and mark.is_file() and mark.read_text(encoding="utf-8") == known:
            return
        done = subprocess.run(
            ["flask", "--app", "wsgi", "accounts", "setup-link"],
            env=self._settings,
            cwd=self._house.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        for line in lines:
            self._log.line("run", line)
        if done.returncode:
            self._log.line(
                "run", "no set-up link could be made; ask for one with: flask --app wsgi accounts setup-link"
            )
        elif known and not lines:
            mark.write_text(known, encoding="utf-8")

    def _identity(self) -> str:
        """Names the embedded database file; empty for any other, which is then asked at every start."""
        if is_production(self._settings) or not is_embedded_database(self._settings):
            return ""
        file = embedded_database(self._house)
        return digest(str(file), str(file.stat().st_ino)) if file.is_file() else ""
