"""The current application's settings."""

from __future__ import annotations

from flask import current_app

from tokenboard.core.config import Settings


def settings() -> Settings:
    """What this application was started with."""
    found: Settings = current_app.extensions["settings"]
    return found
