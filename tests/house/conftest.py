"""Scratch projects: a folder that `./run` takes for TokenBoard."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from scripts import installation
from scripts.house import House

ROOT = Path(__file__).resolve().parents[2]
# What the scratch product is made of: a web process that answers, a worker, a sandbox, and a `flask` for two commands.
_PAGE = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(" ".join(os.environ.get(n, "-") for n in ("TOKENBOARD_LAUNCHER", "REDIS_URL")).encode())
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
_WORKER = "import time\nprint('worker ready', flush=True)\ntime.sleep(600)\n"
_FLASK = (
    "#!/bin/sh\ncase \"$*\" in *setup-link*) echo 'Set up: http://localhost/setup/once';; *) echo migrated;; esac\n"
)


@pytest.fixture
def project(tmp_path: Path) -> House:
    """An empty project, reached by a path with a space."""
    root = tmp_path / "my project"
    root.mkdir()
    return House(root)


@pytest.fixture
def installed_project(project: House) -> House:
    """A project whose environment is this very Python, with stamps that say it is complete."""
    binaries = project.venv / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    (binaries / "flask").write_text(_FLASK)
    (binaries / "flask").chmod(0o755)
    (project.root / "requirements.txt").write_text("")
    (project.venv / "requirements.txt.installed").write_text(installation.wanted(project, "requirements.txt"))
    return project


@pytest.fixture
def product(installed_project: House) -> House:
    """A scratch project that `./run` can start."""
    project = installed_project
    shutil.copy(ROOT / "run", project.root / "run")
    shutil.copytree(ROOT / "scripts", project.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (project.root / "Procfile").write_text("release: flask db upgrade\nweb: python web.py\nworker: python worker.py\n")
    (project.root / "web.py").write_text(_PAGE)
    (project.root / "worker.py").write_text(_WORKER)
    (project.root / "tokenboard").mkdir()
    (project.root / "tokenboard" / "sandbox.py").write_text(_WORKER)
    return project
