"""Static files: hashed addresses, caching, compression.

Laws: an address that names its content (`?v=` of the file as it is now, or a vendored file with its version in its
name) may be kept for a year; every other answer is revalidated. Every static answer carries `nosniff`; none carries
`Access-Control-Allow-Origin`. A `.gz` beside a file is served where the browser takes it; a `.gz` older than its file
is ignored, so that an edit is never hidden by yesterday's compression.
Source: whitenoise 6.12 `base.py` and `responders.py`, read 2026-11-20.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from wsgiref.headers import Headers

from whitenoise import WhiteNoise  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

STATIC_ROOT = Path(__file__).resolve().parents[2] / "static"
STATIC_PREFIX = "/static/"
HASH_LENGTH = 10  # 40 bits: enough to tell a file from its former self

ONE_YEAR_IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "public, no-cache"
STATIC_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The sprite is an SVG and could be opened as a page of its own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

HTTPS_ONLY: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}

_VERSIONED = re.compile(r"^vendor/[a-z-]+-\d+\.\d+\.\d+(\.min)?\.[a-z0-9]+$")
_COMPRESSIBLE = {".css", ".js", ".svg", ".txt", ".md"}


class UnknownAsset(LookupError):
    """A template asked for a static file that is not there: a mistake in the template, found by the first test."""


def static_url(name: str) -> str:
    """The address of a static file, which changes whenever its content does. Raises: UnknownAsset."""
    path = STATIC_ROOT / name
    try:
        stat = path.stat()
    except OSError as error:
        raise UnknownAsset(name) from error
    if _VERSIONED.match(name):
        return STATIC_PREFIX + name
    return f"{STATIC_PREFIX}{name}?v={_content_hash(path, stat.st_mtime_ns, stat.st_size)}"


@lru_cache(maxsize=256)
def _content_hash(path: Path, _mtime_ns: int, _size: int) -> str:
    """The first characters of a file's sha256; its time and size are the cache's key, so that an edit is seen."""
    return sha256(path.read_bytes()).hexdigest()[:HASH_LENGTH]


def cache_control(name: str, query: str) -> str:
    """How long the answer for `name` may be kept, asked with this query string."""
    if _VERSIONED.match(name):
        return ONE_YEAR_IMMUTABLE
    wanted = parse_qs(query, max_num_fields=8).get("v", [""])[-1] if len(query) < 200 else ""
    return ONE_YEAR_IMMUTABLE if wanted and static_url(name).endswith(f"?v={wanted}") else REVALIDATE


class StaticFiles(WhiteNoise):  # type: ignore[misc]  # whitenoise 6.12 ships no types
    """WhiteNoise with our caching rule and our headers, on refusals too (its own 405 and 416 carry none)."""

    def __init__(
        self,
        application: WSGIApplication,
        root: Path,
        headers: Mapping[str, str],
        watch: bool,
    ) -> None:
        self.fixed_headers = dict(headers)
        super().__init__(
            application,
            root=root,
            prefix=STATIC_PREFIX,
            autorefresh=watch,
            max_age=None,
            allow_all_origins=False,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(STATIC_PREFIX):
            application: WSGIApplication = self.application
            return application(environ, start_response)
        answer: Iterable[bytes] = super().__call__(environ, partial(self._start, environ, start_response))
        return answer

    def _start(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        status: str,
        headers: list[tuple[str, str]],
        *rest: object,
    ) -> object:
        """Complete the headers on their way out. A 404 passes here too, from the application: never cached."""
        complete = Headers(list(headers))
        for name, value in self.fixed_headers.items():
            complete.setdefault(name, value)
        if status[:3] in {"200", "206", "304"}:
            name = environ["PATH_INFO"].removeprefix(STATIC_PREFIX)
            complete["Cache-Control"] = cache_control(name, environ.get("QUERY_STRING", ""))
        return start_response(status, complete.items(), *rest)  # type: ignore[arg-type]

    @staticmethod
    def serve(static_file: Any, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """As WhiteNoise does, but the file is read at once: all of ours are small, and no handle outlives the call."""
        response = static_file.get_response(environ["REQUEST_METHOD"], environ)
        start_response(f"{response.status} {response.status.phrase}", list(response.headers))
        if response.file is None:
            return []
        with closing(response.file):
            return [response.file.read()]

    def get_static_file(
        self,
        path: str,
        url: str,
        stat_cache: Mapping[str, os.stat_result] | None = None,
    ) -> object:
        """As WhiteNoise does, but it is shown only the files that may be served: never a `.gz` older than its file."""
        return super().get_static_file(path, url, stat_cache=_servable(path))


def _servable(path: str) -> dict[str, os.stat_result]:
    """The file and its compressed form, when that one is not out of date; empty when there is no such file."""
    found = {name: os.stat(name) for name in (path, path + ".gz") if os.path.exists(name)}
    if path + ".gz" in found and (path not in found or found[path + ".gz"].st_mtime_ns < found[path].st_mtime_ns):
        del found[path + ".gz"]
    return found


def compress(root: Path = STATIC_ROOT) -> list[Path]:
    """Write a `.gz` beside every file worth it; answer with those written. Idempotent: unchanged files are skipped."""
    written = []
    for path in sorted(root.rglob("*")):
        target = path.with_name(path.name + ".gz")
        if path.suffix not in _COMPRESSIBLE or not path.is_file():
            continue
        if target.exists() and target.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            continue
        target.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        written.append(target)
    return written


def init_app(app: Flask, *, watch: bool = False, is_https: bool = False) -> None:
    """Serve `static/` in front of the application and give the templates `static_url`.

    `watch` looks at the disk on every request (development); without it the files are listed once, at start.
    """
    app.jinja_env.globals["static_url"] = static_url
    headers = {**STATIC_HEADERS, **(HTTPS_ONLY if is_https else {})}
    app.wsgi_app = StaticFiles(app.wsgi_app, STATIC_ROOT, headers, watch)  # type: ignore[method-assign]
