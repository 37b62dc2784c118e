"""For whoever watches the house: is the process up, and does every part work."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from tokenboard.core.db import db
from tokenboard.ops.health import readiness
from tokenboard.ops.shapes import Part
from tokenboard.web.api import operation
from tokenboard.web.limits import limiter

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@limiter.exempt
@operation("Is the process up", auth="none", tag="Health", answer={"status": str})
def healthz() -> dict[str, Any]:
    """Asks nothing else: a load balancer must not take the site away because Redis is."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@limiter.exempt
@operation(
    "Does every part work",
    auth="none",
    tag="Health",
    answer={"status": str, "down": list[str], "parts": dict[str, Part]},
    also=(503,),
)
def readyz() -> tuple[dict[str, Any], int]:
    found = readiness()
    db.session.rollback()
    parts = {one.part: {"ok": one.is_ok, "detail": one.sentence} for one in found.findings}
    down = [one.part for one in found.findings if not one.is_ok]
    answer = {"status": "ok" if found.is_ok else "down", "down": down, "parts": parts}
    return answer, 200 if found.is_ok else 503
