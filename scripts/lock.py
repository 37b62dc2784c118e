"""`./run lock`: compiles requirements*.txt from requirements*.in, every file pinned by its hash, for every platform.

Laws: nothing of the machine that compiles (index, folder, mirror) may land in the result.
"""

from __future__ import annotations

import os
import subprocess
import sys

from scripts.house import House, Refusal
from scripts.installation import find_uv, ready

_UV = "uv==0.13.8"
_NAMES = ("requirements", "requirements-dev", "requirements-check", "requirements-e2e", "requirements-wapiti")
_OPTIONS = (
    "--universal",
    "--generate-hashes",
    "--python-version=3.11",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-config",
    "--quiet",
)


def lock(house: House, arguments: list[str]) -> int:
    """Compile all of them, in the order in which they constrain each other. Raises: Refusal."""
    uv = find_uv(house) or _fetched_uv(house)
    for name in _NAMES:
        print(f"{name}.in → {name}.txt", flush=True)
        command = [uv, "pip", "compile", *_OPTIONS, *arguments, f"{name}.in", "--output-file", f"{name}.txt"]
        if subprocess.run(command, cwd=house.root, env=_environment(), check=False).returncode:
            raise Refusal(f"{name}.in could not be compiled; what uv said is above.")
        _refuse_addresses(house, f"{name}.txt")
    return 0


def _environment() -> dict[str, str]:
    """Without links to local wheels: a hash of a file only this machine has would break every other machine."""
    return {name: value for name, value in os.environ.items() if name not in {"UV_FIND_LINKS", "PIP_FIND_LINKS"}}


def _refuse_addresses(house: House, name: str) -> None:
    for line in (house.root / name).read_text(encoding="utf-8").splitlines():
        if "://" in line or " @ " in line or line.startswith("--"):
            raise Refusal(f"{name} names a place instead of a version: {line.strip()}")


def _fetched_uv(house: House) -> str:
    python = str(ready(house, "run"))
    if subprocess.run([python, "-m", "pip", "install", "--quiet", _UV], check=False).returncode:
        raise Refusal(f"`./run lock` needs uv, and {_UV} could not be installed.")
    uv = find_uv(house)
    if uv is None:
        sys.exit("uv was installed and is not there: a broken environment; remove .venv and run again.")
    return uv
