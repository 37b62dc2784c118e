"""wapiti in an environment of its own, pinned by hash: it wants older libraries than the product.

Source: wapiti3 3.2.3 on PyPI, which runs on Python 3.10 to 3.12 (November 2026).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from scripts.house import House, Refusal, digest
from scripts.installation import find_uv

_PINS = "requirements-wapiti.txt"
_NEWEST = (3, 12)


def wapiti(house: House) -> Path:
    """The program, installed unless it is there already. Raises: Refusal."""
    folder, pins = house.instance / "wapiti", house.root / _PINS
    program, stamp = folder / "bin" / "wapiti", folder / "installed"
    wanted = digest(pins.read_bytes(), sys.version)
    if program.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return program
    print(f"Installing {_PINS} into {folder} …", flush=True)  # noqa: T201 - a command's answer
    _make(folder)
    _install(house, folder / "bin" / "python", pins)
    stamp.write_text(wanted, encoding="utf-8")
    return program


def _make(folder: Path) -> None:
    uv, python = shutil.which("uv"), _python()
    shutil.rmtree(folder, ignore_errors=True)
    way = [uv, "venv", "--quiet", "--python", python] if uv else [python, "-m", "venv"]
    if subprocess.run([*way, str(folder)], check=False).returncode:
        raise Refusal("No environment for wapiti could be made; what was said is above.")


def _python() -> str:
    """This Python, or one that wapiti runs on."""
    if sys.version_info[:2] <= _NEWEST:
        return sys.executable
    older = shutil.which("python3.12") or shutil.which("python3.11")
    if older is None:
        raise Refusal("wapiti runs on Python 3.10 to 3.12 only, and there is none of them on the PATH.")
    return older


def _install(house: House, python: Path, pins: Path) -> None:
    uv = find_uv(house)
    way = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
    if subprocess.run([*way, "--quiet", "--require-hashes", "-r", str(pins)], check=False).returncode:
        raise Refusal(f"{_PINS} could not be installed; what the installer said is above.")
