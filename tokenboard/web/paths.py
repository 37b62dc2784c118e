"""Addresses of this site: the `<id:…>` in them, whether one is a page, and the page somebody came from."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from flask import Flask, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, ValidationError

from tokenboard.core.parsing import parse_id
from tokenboard.web.security import local_path


class IdConverter(BaseConverter):
    """Reads a UUID as we write it; other text does not match the route, so it is a 404 before any query."""

    regex = "[^/]{36}"

    def to_python(self, value: str) -> str:
        try:
            return parse_id(value)
        except ValueError as error:
            raise ValidationError from error


def init_app(app: Flask) -> None:
    """Make `<id:name>` known to the routes."""
    app.url_map.converters["id"] = IdConverter


def is_page(path: str) -> bool:
    """Whether this application has a page at a path: an address that only takes forms is none."""
    try:
        current_app.url_map.bind("").match(unquote(path), "GET")
    except HTTPException:
        return False
    return not path.startswith("/api/")


def page_shown(default: str) -> str:
    """The page of ours that a form or a fragment's request came from; the default when it was none."""
    shown = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    path = local_path(shown.path + (f"?{shown.query}" if shown.query else ""), default)
    return path if shown.netloc == request.host and is_page(shown.path) else default
