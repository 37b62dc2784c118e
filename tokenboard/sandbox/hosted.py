"""What the hosted pages of the sandbox share: plain HTML, forms without scripts, a policy that forbids all others."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template

routes = Blueprint("hosted", __name__, url_prefix="/_pages", static_folder="pages/assets", static_url_path="")

# No form-action: browsers apply it to the redirect that follows a form, and that leads back to the house.
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"


def shown(template: str, status: int = 200, **facts: object) -> Response:
    """A hosted page."""
    told = make_response(render_template(template, **facts), status)
    told.headers["Content-Security-Policy"] = _POLICY
    told.headers["Cache-Control"] = "no-store"
    told.headers["Referrer-Policy"] = "no-referrer"
    return told


def gone_to(url: str) -> Response:
    """On to another page, by GET."""
    told = make_response(redirect(url, 303))
    told.headers["Cache-Control"] = "no-store"
    return told
