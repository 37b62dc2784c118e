"""The product as it runs: gunicorn and worker.py as in the Procfile, the sandbox, and a Chromium to look at it.

Every page that a test opens is watched: a console error, a page error or a CSP report fails the test.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# Without these Chromium looks for its makers' hosts at every start.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PASSWORD = "a long sentence to sign in with"
# A database, the sandbox's models with their prices, and one model that breaks off in mid-answer.
PREPARATIONS = (
    ("db", "upgrade"),
    ("metering", "sync-prices", "--now"),
    ("metering", "set-price", "fault-cut", "--input", "0.15", "--output", "0.60"),
)


@pytest.fixture(scope="session")
def site_environ(tmp_path_factory: pytest.TempPathFactory, redis_url: str, sandbox_url: str) -> dict[str, str]:
    """The settings of the product on SQLite, for its processes and commands."""
    folder = tmp_path_factory.mktemp("site")
    port = _free_port()
    return os.environ | {
        "PORT": str(port),
        "BASE_URL": f"http://localhost:{port}",
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "REDIS_URL": redis_url,
        "SANDBOX_URL": sandbox_url,
        "BCRYPT_COST": "4",
    }


def command(environ: dict[str, str], *words: str) -> None:
    """What the operator would type."""
    run = [str(BIN / "flask"), "--app", "wsgi", *words]
    subprocess.run(run, cwd=ROOT, env=environ, check=True, capture_output=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, site_environ: dict[str, str]) -> Iterator[str]:
    """The address of the product, freshly started."""
    for words in PREPARATIONS:
        command(site_environ, *words)
    folder = tmp_path_factory.mktemp("logs")
    commands = {
        "web": [str(BIN / "gunicorn"), "wsgi:app", "-c", "gunicorn.conf.py"],
        "worker": [sys.executable, "worker.py"],
    }
    with contextlib.ExitStack() as stack:
        for name, words in commands.items():
            stack.enter_context(_running(words, site_environ, folder / f"{name}.log"))
        url = site_environ["BASE_URL"]
        _wait_until_ready(url)
        yield url


@contextlib.contextmanager
def _running(command: list[str], environ: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        address = f"{url}/readyz"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own loopback
            return  # anything but 200 raises
        time.sleep(0.2)
    raise TimeoutError("the product did not get ready")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; each test has contexts of its own."""
    path = os.environ.get("CHROMIUM")
    if not path:
        pytest.skip("CHROMIUM names no browser; `./run e2e` finds one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


_numbers = itertools.count(1)  # two tests may call somebody by the same name


class Visitor:
    """Somebody at a browser, and what their browser complained of."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.site = site
        self.context = context
        self.complaints: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """Another tab of the same browser."""
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path)
        return self.page

    def register(self, name: str) -> str:
        """Make an account and be signed in; the address."""
        page, email = self.open("/register"), f"{name}.{next(_numbers)}@example.com"
        page.fill("[name=email]", email)
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(f"{self.site}/dashboard*")
        return email

    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def _forget_limits(redis_url: str) -> None:
    """All visitors come from one address, which is not what the limit on registrations is for."""
    counted = redis.Redis.from_url(redis_url)
    for key in counted.scan_iter("LIMIT*"):
        counted.delete(key)


@pytest.fixture
def visit(chromium: Browser, site: str, redis_url: str) -> Iterator[Callable[..., Visitor]]:
    """`visit()`: a new visitor; options as Playwright's contexts take them. No complaint may be left at the end."""
    _forget_limits(redis_url)
    with contextlib.ExitStack() as stack:
        visitors: list[Visitor] = []

        def arrive(**options: object) -> Visitor:
            context = stack.enter_context(contextlib.closing(chromium.new_context(**options)))  # type: ignore[arg-type]
            context.set_default_timeout(15_000)
            visitors.append(Visitor(context, site))
            return visitors[-1]

        yield arrive
        assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
