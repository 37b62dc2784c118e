"""Settings, Security: how one signs in, and where one is signed in."""

from __future__ import annotations

from flask import Blueprint, Response

from tokenboard.accounts.security_page import SECURITY, security_page

blueprint = Blueprint("security", __name__)


@blueprint.get(SECURITY)
def security() -> Response:
    return security_page()
