"""Under gevent a password is hashed beside the hub: everybody else goes on meanwhile."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from gevent import monkey
monkey.patch_all()
import gevent, sys, tempfile
from pathlib import Path
from tokenboard.accounts import passwords
from tokenboard.app import create_app
from tokenboard.core.config import load_settings

app = create_app(load_settings({"BCRYPT_COST": "12", "LOG_LEVEL": "ERROR"}, instance_path=Path(sys.argv[1])))
ticks = 0

def tick():
    global ticks
    while True:
        ticks += 1
        gevent.sleep(0.005)

gevent.spawn(tick)
gevent.sleep(0)
before = ticks
with app.app_context():
    kept = passwords.hashed("correct horse battery staple")
    assert passwords.matches("correct horse battery staple", kept)
print(ticks - before)
"""


def test_others_go_on_while_a_password_is_hashed(tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    # Two hashes of cost 12 take over 0.2 s on any machine of today: without the thread pool this would be 0 or 1.
    assert int(done.stdout.strip().splitlines()[-1]) >= 10
