"""The least that a web process can do with a webhook: read its body, say 200. The limit of what HTTP allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

_ANSWER = b'{"received":true}'


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A bare WSGI function."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(_ANSWER)))])
    return [_ANSWER]
