"""The control room's monitoring: every part, what waits, the log; and the settings check beside it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tokenboard.ops import control_room, monitoring_page, settings_page
from tokenboard.web.fragments import page

blueprint = Blueprint("admin_monitoring", __name__, url_prefix="/admin")

control_room.furnish(blueprint)


@blueprint.get("/monitoring")
def monitoring() -> Response:
    return page("ops/monitoring.html", fragments=("monitoring",), view=monitoring_page.build(request.args))


@blueprint.get("/settings")
def settings_check() -> Response:
    """`flask ops doctor` as a page."""
    return page("ops/settings.html", fragments=("settings_check",), view=settings_page.build())
