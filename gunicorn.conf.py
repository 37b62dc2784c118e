"""How the web process serves: gevent workers with PostgreSQL, 64 threads with SQLite.

SIGTERM also ends the answers that stream, with a word and settled (tokenboard/metering/draining.py).
Laws: never preload (psycopg imported before gevent's patch waits in C and stops every other request: 50 waits of 0.2 s
took 10.5 s); SQLite stays on threads (a greenlet that yields inside a write transaction stalled the hub for 18 s).
This file imports nothing but the standard library: it is read before the patch.
Read from the environment: HOST, PORT, DATABASE_URL and its older names, TOKENBOARD_ENV; WEB_CONCURRENCY by gunicorn
itself. All are declared in tokenboard/core/config.py, where a bad value stops the start.
`forwarded_allow_ips` is left to FORWARDED_ALLOW_IPS (Heroku sets it).
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

_DATABASE_NAMES = ("DATABASE_URL", "POSTGRES_URL", "POSTGRES_PRISMA_URL", "DIRECT_URL")  # as tokenboard/core/config.py


def _database_url() -> str:
    for name in _DATABASE_NAMES:
        url = os.environ.get(name, "").strip()
        file = os.environ.get(f"{name}_FILE", "").strip()
        if url or file:
            return url or Path(file).read_text(encoding="utf-8").strip()
    return ""


def _bind() -> str:
    is_public = os.environ.get("TOKENBOARD_ENV", "").strip() == "production" or "DYNO" in os.environ
    host = os.environ.get("HOST", "").strip() or ("0.0.0.0" if is_public else "127.0.0.1")  # noqa: S104 - as Heroku needs
    bracketed = f"[{host}]" if ":" in host else host
    return f"{bracketed}:{os.environ.get('PORT', '').strip() or '8000'}"


_is_gevent = _database_url().startswith("postgres")

bind = _bind()
proc_name = "tokenboard"
preload_app = False
worker_class = "gevent" if _is_gevent else "gthread"
worker_connections = 1000  # greenlets a gevent worker holds; open streams are most of them
threads = 1 if _is_gevent else 64
timeout = 60  # a worker that gave no sign for a minute is replaced; streams do not count, the hub does
graceful_timeout = 25  # Heroku kills 30 s after its SIGTERM
keepalive = 15  # seconds; browsers reuse the connection for the fragments of a page
control_socket_disable = True  # gunicorn 27 would open one in the home folder
# Heartbeat files, in memory where that can be had: a slow disk then kills no worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

limit_request_line = 8190  # bytes; an OIDC callback or a page with every filter stays under 4 KB
limit_request_fields = 64
limit_request_field_size = 8190


def post_worker_init(worker: Any) -> None:
    """Refuse to serve when psycopg would stop the hub. Raises: RuntimeError, which ends gunicorn at once."""
    if _is_gevent:
        _require_green_psycopg()
    _leave_what_is_loaded()
    from tokenboard.metering import draining

    draining.attend(worker.wsgi)


def _leave_what_is_loaded() -> None:
    """The garbage collector looks no more at what stays to the end anyway, some 300,000 objects.

    A full collection took 0.19 s of processor time with them, in which every stream of the process stood still.
    """
    gc.collect()
    gc.freeze()


def worker_exit(server: Any, worker: Any) -> None:
    """Answers whose readers have left keep no request open: wait for their settlement too."""
    from tokenboard.metering import draining

    app = getattr(worker, "wsgi", None)  # none when it ended before it had begun
    if app is not None:
        draining.finish(app)


def _require_green_psycopg() -> None:
    from psycopg import waiting

    if waiting.wait is getattr(waiting, "wait_c", None):
        raise RuntimeError(
            "psycopg waits in C under gevent, so one slow query would stop every request of this worker: "
            "it was imported before gevent's patch. Remove --preload, and imports of psycopg from gunicorn.conf.py."
        )
