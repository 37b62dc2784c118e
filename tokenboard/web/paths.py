"""The `<id:…>` part of an address: a UUID as we write it. Anything else is a 404 before any query."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

from tokenboard.core.parsing import parse_id


class IdConverter(BaseConverter):
    """Reads an id; other text does not match the route."""

    regex = "[^/]{36}"

    def to_python(self, value: str) -> str:
        try:
            return parse_id(value)
        except ValueError as error:
            raise ValidationError from error


def init_app(app: Flask) -> None:
    """Make `<id:name>` known to the routes."""
    app.url_map.converters["id"] = IdConverter
