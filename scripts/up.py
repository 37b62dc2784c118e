"""`./run`: installs, starts Redis, migrates, then runs the Procfile's `web` and `worker` and the provider sandbox.

Laws: a fault before the first page is one sentence and exit code 2; after it, whatever dies is started again;
Ctrl-C and SIGTERM end everything, the queue's server last.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from types import FrameType

from scripts import embedded_redis, first_start, procfile
from scripts.children import Child, Log
from scripts.house import (
    House,
    Refusal,
    environment,
    exclusive,
    free_port,
    host_of,
    is_production,
    port_of,
    refuse_taken_port,
)
from scripts.installation import ready

TICK_SECONDS = 0.05
GRACE_SECONDS = 27  # gunicorn.conf.py gives running requests 25; Heroku kills after 30
HASTY_GRACE_SECONDS = 8  # in development nobody waits for an open stream
_HOPELESS_DEATHS = 3  # before the first page: a fault, not an accident


class Launcher:
    """What is running, and whether somebody asked for its end."""

    def __init__(self, house: House, settings: dict[str, str], log: Log) -> None:
        self.house = house
        self.settings = settings
        self.log = log
        self.children: list[Child] = []
        self.stops_asked = 0
        self._stop = threading.Event()

    def catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stops_asked += 1
        self._stop.set()

    def add(self, name: str, argv: list[str], folder: str = ".") -> Child:
        child = Child(name, argv, self.settings, self.house.root / folder, self.log)
        self.children.append(child)
        child.start()
        return child

    def add_line(self, name: str, line: str) -> Child:
        """A line of the Procfile, read by a shell as on Heroku; `exec` leaves no shell behind."""
        return self.add(name, ["/bin/sh", "-c", f"exec {line}"])

    def watch(self, welcome: first_start.Welcome) -> None:
        """Look after the children until somebody asks for the end. Raises: Refusal."""
        while not self._stop.wait(TICK_SECONDS):
            for child in self.children:
                child.look_after()
                if child.deaths_in_a_row >= _HOPELESS_DEATHS and not welcome.is_said:
                    raise Refusal(f"`{child.name}` ended {_HOPELESS_DEATHS} times at the start; what it said is above.")

    def wind_down(self) -> None:
        """End everything: those who use the queue first, the queue's server last."""
        if not self.children:
            return
        if self.stops_asked:
            self.log.line("run", "stopping; Ctrl-C again to stop at once")
        queue = [child for child in self.children if child.name == "redis"]
        for group in ([child for child in self.children if child not in queue], queue):
            self._end(group)

    def _end(self, group: list[Child]) -> None:
        for child in group:
            child.terminate()
        patience = GRACE_SECONDS if is_production(self.settings) else HASTY_GRACE_SECONDS
        deadline = time.monotonic() + patience
        while any(child.is_alive for child in group) and time.monotonic() < deadline and self.stops_asked < 2:
            time.sleep(TICK_SECONDS)
        for child in group:
            child.end_session(signal.SIGKILL)
            child.last_words()


def up(house: House) -> int:
    """Run TokenBoard until it is stopped. Raises: Refusal."""
    began_at = time.monotonic()
    settings = environment(house, with_dotenv=True)
    host, port = host_of(settings), port_of(settings)
    refuse_taken_port(host, port)
    processes = procfile.parse(_procfile(house))
    procfile.need(processes, "release", "web", "worker")
    with exclusive(house.instance / "run.lock", "TokenBoard is already running from this folder; stop that one first."):
        settings |= {"PORT": str(port), "TOKENBOARD_LAUNCHER": "1"}
        ready(house, "run")
        launcher = Launcher(house, settings, Log(sys.stdout))
        launcher.catch_signals()
        try:
            _start_all(launcher, processes)
            with first_start.Welcome(house, settings, host, port, began_at, launcher.log) as welcome:
                launcher.watch(welcome)
        finally:
            launcher.wind_down()
    return 0


def _procfile(house: House) -> str:
    file = house.root / "Procfile"
    if not file.is_file():
        raise Refusal("The Procfile is missing: it says what to start.")
    return file.read_text(encoding="utf-8")


def _start_all(launcher: Launcher, processes: dict[str, str]) -> None:
    settings = launcher.settings
    if not (settings.get("REDIS_URL", "").strip() or settings.get("REDIS_URL_FILE", "").strip()):
        _start_redis(launcher)
    if not is_production(settings) and not settings.get("SANDBOX_URL", "").strip():
        _start_sandbox(launcher)
    _release(launcher, processes["release"])
    for name in ("web", "worker"):
        if not launcher.stops_asked:
            launcher.add_line(name, processes[name])


def _start_redis(launcher: Launcher) -> None:
    house = launcher.house
    server = embedded_redis.find_server(house, launcher.settings)
    path = embedded_redis.socket_of(house)
    embedded_redis.end_orphan(path)
    (house.instance / "redis").mkdir(mode=0o700, exist_ok=True)
    launcher.settings["REDIS_URL"] = embedded_redis.url_of(path)
    child = launcher.add("redis", embedded_redis.command(server, path, keeps=True), "instance/redis")
    embedded_redis.wait_until_up(path, lambda: child.is_alive)


def _start_sandbox(launcher: Launcher) -> None:
    port = free_port()
    launcher.settings["SANDBOX_URL"] = f"http://127.0.0.1:{port}"
    file = launcher.house.instance / "sandbox.sqlite3"
    module = [str(launcher.house.python), "-m", "tokenboard.sandbox"]
    webhooks_to = f"http://127.0.0.1:{launcher.settings['PORT']}"
    launcher.add("sandbox", [*module, "--port", str(port), "--database", str(file), "--webhooks-to", webhooks_to])


def _release(launcher: Launcher, line: str) -> None:
    """The Procfile's `release` line, unless this very database is known to stand where it would bring it."""
    stamp = first_start.ReleaseStamp(launcher.house, launcher.settings, line)
    if stamp.is_current():
        return
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {line}"],
        env=launcher.settings,
        cwd=launcher.house.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    for said in done.stdout.splitlines():
        launcher.log.line("release", said)
    if done.returncode and not launcher.stops_asked:
        raise Refusal(f"The release step `{line}` failed with exit code {done.returncode}; what it said is above.")
    stamp.write()
