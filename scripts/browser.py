"""Finds a Chromium for the browser tests; on Debian, as root, installs one.

Playwright's own download is not used: the tests drive the browser that is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.house import NoChromium, Refusal

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def find_chromium(settings: Mapping[str, str]) -> str:
    """The path of a Chromium. Raises: Refusal for a wrong CHROMIUM, NoChromium when none can be had."""
    named = settings.get("CHROMIUM", "").strip()
    if named and not os.access(named, os.X_OK):
        raise Refusal(f"CHROMIUM is {named!r}, which is no program.")
    found = named or _on_this_machine(settings) or _installed(settings)
    if found is None:
        raise NoChromium(
            "The browser tests need Chromium and found none: install chromium or google-chrome, or set CHROMIUM."
        )
    return found


def _on_this_machine(settings: Mapping[str, str]) -> str | None:
    for name in NAMES:
        if found := shutil.which(name, path=settings.get("PATH")):
            return found
    return _MACOS if Path(_MACOS).is_file() else None


def _installed(settings: Mapping[str, str]) -> str | None:
    """Only where nobody is asked for a password: root on a Debian family system."""
    if os.getuid() != 0 or not shutil.which("apt-get"):
        return None
    print("Installing Chromium with apt-get …", file=sys.stderr, flush=True)
    quiet = {**settings, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        if subprocess.run(["apt-get", *words], env=quiet, stdout=subprocess.DEVNULL, check=False).returncode:
            return None
    return _on_this_machine(settings)
