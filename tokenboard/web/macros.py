"""The `ui` of every template: `ui.button(…)` fetches the macro from templates/ui.html when it is used.

A macro imported at a template's top level is undefined inside a fragment (style.md, trap 1); this global works in both.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from jinja2 import Environment, StrictUndefined


class Macros:
    """Looks macros up by name in `ui.html`."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment.get_template("ui.html").module, name)


def init_app(app: Flask) -> None:
    """Strict templates, and `ui` in all of them."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["ui"] = Macros(app.jinja_env)
