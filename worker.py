"""`python worker.py`: takes jobs from the queue and keeps the clock of periodic ones (tokenboard/ops/worker.py)."""

from __future__ import annotations

import sys

from flask import Flask

from tokenboard.app import create_app
from tokenboard.core import jobs
from tokenboard.core.settings import settings
from tokenboard.core.settings_fields import ConfigError
from tokenboard.ops import worker
from tokenboard.schedule import PERIODIC


class Application:
    """Builds the application once a process; a forked clockwork finds the one that is there."""

    def __init__(self) -> None:
        self._app: Flask | None = None

    def __call__(self) -> Flask:
        self._app = self._app or create_app()
        return self._app

    def __getstate__(self) -> dict[str, None]:
        return {"_app": None}  # a spawned process builds its own


def main() -> None:
    application = Application()
    try:
        app = application()
    except ConfigError as error:
        sys.exit(f"TokenBoard cannot start with these settings:\n{error}")
    jobs.host(app)
    with app.app_context():
        found = settings()
    worker.run(application, found, PERIODIC)


if __name__ == "__main__":
    main()
