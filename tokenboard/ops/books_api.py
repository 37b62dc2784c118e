"""For monitors: do the books balance. Answers from the last check, so that asking often costs nothing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from tokenboard.ops import books_queries
from tokenboard.web.api import operation
from tokenboard.web.limits import limiter
from tokenboard.web.shapes import Instant

blueprint = Blueprint("books_health", __name__)


@blueprint.get("/healthz/books")
@limiter.exempt
@operation(
    "Do the books balance",
    auth="none",
    tag="Health",
    answer={"status": str, "detail": str, "checked_at": Instant | None, "broken": list[str]},
    also=(503,),
)
def healthz_books() -> tuple[dict[str, Any], int]:
    """503 when a law is broken, when the last check is old, and while there has been none."""
    found = books_queries.verdict(books_queries.lamps())
    answer = {
        "status": found.status,
        "detail": found.sentence,
        "checkedAt": found.checked_at,
        "broken": list(found.broken),
    }
    return answer, 200 if found.is_ok else 503
