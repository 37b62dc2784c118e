"""The web process of these tests, under gunicorn: `tests.faults.web:application('INSTANCE', 'ORDER')`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.faults import points
from tokenboard.app import create_app
from tokenboard.core.config import load_settings


def application(instance: str, order: str) -> Callable[..., Iterable[bytes]]:
    """The product as wsgi.py makes it, with barriers."""
    app = create_app(load_settings(os.environ, instance_path=Path(instance)))
    return points.watch_web(points.Barrier(Path(order), points.end_process), app)
