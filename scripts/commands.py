"""The words `./run` understands, and which of our modules does the work.

`up` and `lock` run here; the others are handed to the environment's Python, which has the tools.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from scripts.house import House, Refusal, environment, here

HELP = """TokenBoard

  ./run                 start it: install, migrate, web, worker, queue, provider sandbox (other port: PORT=8001 ./run)
  ./run test [args]     the tests, on SQLite and PostgreSQL; args go to pytest (--whole: the dear ones at full size)
  ./run check           format, lint, types, imports, templates, migrations, settings, docs; no tests
  ./run e2e [args]      the browser tests; args go to pytest
  ./run fuzz [args]     20,000 made-up requests to the API and 5,000 filled-in forms (FUZZ_REQUESTS=500 for fewer)
  ./run wapiti [walk]   a web scanner over every page: signed-out, signed-in, administrator
  ./run tour            every page's picture for docs/tour.md, in a browser
  ./run bench [args]    the benchmarks (--quick for a minute's worth)
  ./run lock [args]     compile requirements*.txt from requirements*.in; args go to uv (--upgrade)
  ./run help            this
"""


def main(words: list[str]) -> int:
    """Do what the command line says; a `Refusal` is its sentence and its exit code."""
    house = here()
    try:
        return _do(house, words)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return refusal.exit_code
    except KeyboardInterrupt:
        return 130


def _do(house: House, words: list[str]) -> int:
    if os.name != "posix":
        raise Refusal("TokenBoard runs on Linux and macOS; on Windows use WSL (wsl --install), and run it there.")
    os.chdir(house.root)
    name, arguments = (words[0], words[1:]) if words else ("up", [])
    command = COMMANDS.get(name)
    if command is None:
        raise Refusal(f"There is no `./run {name}`; `./run help` lists what there is.")
    return command(house, arguments)


def _up(house: House, arguments: list[str]) -> int:
    from scripts.up import up  # each command imports only its own part: `./run` starts in a second

    if arguments:
        raise Refusal(f"`./run up` takes no arguments, and was given: {' '.join(arguments)}")
    return up(house)


def _lock(house: House, arguments: list[str]) -> int:
    from scripts.lock import lock

    return lock(house, arguments)


def _help(house: House, arguments: list[str]) -> int:
    print(HELP, end="")
    return 0


def _inside(purpose: str, *module: str) -> Callable[[House, list[str]], int]:
    """A command whose work is done by a module, under the environment's Python."""

    def command(house: House, arguments: list[str]) -> int:
        from scripts.installation import ready

        python = str(ready(house, purpose))
        sys.stdout.flush()
        settings = environment(house, with_dotenv=False)
        os.execve(python, [python, "-m", *module, *arguments], settings)  # noqa: S606 - our own interpreter

    return command


COMMANDS: dict[str, Callable[[House, list[str]], int]] = {
    "up": _up,
    "test": _inside("test", "scripts.suite", "test"),
    "check": _inside("check", "scripts.check"),
    "e2e": _inside("e2e", "scripts.suite", "e2e"),
    "fuzz": _inside("test", "scripts.suite", "fuzz"),
    "wapiti": _inside("test", "tests.wapiti"),
    "tour": _inside("e2e", "scripts.suite", "tour"),
    "bench": _inside("test", "bench"),
    "lock": _lock,
    "help": _help,
    "-h": _help,
    "--help": _help,
}
