"""The API's own description: the OpenAPI document for programs, and pages to read it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, request

from tokenboard import __version__
from tokenboard.core.settings import settings
from tokenboard.ops import api_page
from tokenboard.ops.api_examples import EXAMPLES
from tokenboard.ops.shapes import OpenApi
from tokenboard.web import openapi
from tokenboard.web.api import Answer, operation
from tokenboard.web.fragments import page

blueprint = Blueprint("openapi", __name__)

KEPT = "public, max-age=300"  # it changes with a deploy
_MADE = "openapi_document"


def document() -> dict[str, Any]:
    """The document, made once a process."""
    made: dict[str, Any] | None = current_app.extensions.get(_MADE)
    if made is None:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        made = openapi.document(app, base_url=settings().base_url, version=__version__, examples=EXAMPLES)
        current_app.extensions[_MADE] = made
    return made


@blueprint.get("/api/openapi.json")
@operation("This document", auth="none", tag="Health", answer=OpenApi)
def openapi_json() -> Answer:
    answer = current_app.response_class(current_app.json.dumps(document()), mimetype="application/json")
    answer.headers["Cache-Control"] = KEPT
    return answer


@blueprint.get("/api/docs")
def docs() -> Response:
    """All calls by name; with `?tag=` those of one part in full."""
    return page("docs/api.html", docs=api_page.build(document(), tag=request.args.get("tag", "")))
