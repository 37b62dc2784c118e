"""Every refusal and failure, from one tree: a page, an htmx toast or a JSON answer. Never a trace, never a secret."""

from __future__ import annotations

import logging
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError

from tokenboard.core.db import db
from tokenboard.core.errors import Busy, Forbidden, NotConfirmed, RateLimited, TokenBoardError, Unauthenticated
from tokenboard.web.fragments import is_fragment_request, see_other
from tokenboard.web.paths import page_shown
from tokenboard.web.security import SAFE_METHODS

log = logging.getLogger(__name__)

# What Werkzeug and Flask raise by themselves, in the words of api.md.
_SLUGS = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    411: "length_required",
    413: "too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "rate_limited",
}
_SENTENCES = {
    400: "This request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address does not answer that method.",
    411: "Send the body with a Content-Length.",
    413: "This is larger than we take.",
    415: "Send JSON, with Content-Type: application/json.",
}
# Not signed in, not allowed, another's (to whom it does not exist), too often.
_TURNED_AWAY = frozenset({401, 403, 404, 429})
_JSON_PREFIXES = ("/api/", "/v1/", "/healthz", "/readyz", "/metrics")


def init_app(app: Flask) -> None:
    """Register the handlers, most special first."""
    app.register_error_handler(TokenBoardError, _from_ours)
    app.register_error_handler(CSRFError, _from_csrf)
    app.register_error_handler(SecurityError, _from_foreign_host)
    app.register_error_handler(HTTPException, _from_werkzeug)
    app.register_error_handler(OperationalError, _from_database)
    app.register_error_handler(PoolTimeout, _from_database)
    app.register_error_handler(Exception, _from_anything)


def wants_json() -> bool:
    """Whether the caller is a program."""
    if request.path.startswith(_JSON_PREFIXES):
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html") == "application/json"


def answer_for(error: TokenBoardError) -> Response:
    """The error in the form the caller understands."""
    if wants_json():
        answer = jsonify({"error": error.message, "code": error.code, **error.details})
        answer.status_code = error.status
    elif is_fragment_request():
        answer = _toast(error)
    else:
        answer = make_response(_page(error.status, error.message), error.status)
    if isinstance(error, (RateLimited, Busy)):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _toast(error: TokenBoardError) -> Response:
    """htmx 4 swaps refusals too: send them to the toasts instead of into the panel they were meant for."""
    answer = make_response(render_template("errors/toast.html", message=error.message), error.status)
    answer.headers["HX-Retarget"] = "#toasts"
    answer.headers["HX-Reswap"] = "beforeend"
    return answer


def _page(status: int, message: str) -> str:
    title = HTTPStatus(status).phrase
    return render_template(
        "errors/error.html", status=status, title=title, message=message, request_id=g.get("request_id", "")
    )


def _from_ours(error: TokenBoardError) -> Response:
    db.session.rollback()
    _note_refusal(error)
    if isinstance(error, Unauthenticated) and error.code == "unauthenticated" and not wants_json():
        return see_other(f"/login?next={quote(_page_to_return_to())}")  # type: ignore[return-value]
    if isinstance(error, NotConfirmed) and not wants_json():
        return see_other(f"/confirm?next={quote(_page_to_return_to())}")  # type: ignore[return-value]
    return answer_for(error)


def _note_refusal(error: TokenBoardError) -> None:
    """Whoever was turned away leaves a line: which door, why, and with the request's id from where."""
    if error.status in _TURNED_AWAY:
        log.info("refused", extra={"code": error.code, "rule": str(request.url_rule), "method": request.method})


def _page_to_return_to() -> str:
    """The page that was asked for; for a form or a fragment, which are none, the page it belongs to."""
    if request.method in SAFE_METHODS and not is_fragment_request():
        return request.full_path.rstrip("?")
    return page_shown("/")


def _from_csrf(error: CSRFError) -> Response:
    log.warning("csrf_refused", extra={"reason": error.description})
    return answer_for(Forbidden("This form has grown old or came from elsewhere. Reload the page and send it again."))


def _from_foreign_host(_error: SecurityError) -> Response:
    """A host that is not ours: no page, since every page knows its host; nothing is repeated."""
    return Response("This is not the address of this site.\n", 400, mimetype="text/plain")


def _from_werkzeug(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    sentence = _SENTENCES.get(error.code) or error.description or HTTPStatus(error.code).phrase
    ours = TokenBoardError(sentence, code=_SLUGS.get(error.code, "http_error"))
    ours.status = error.code
    answer = answer_for(ours)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            answer.headers[name] = value
    return answer


def _from_database(error: Exception) -> Response:
    """The database is away, locked or full: nothing was written, and it is worth trying again."""
    db.session.rollback()
    log.error("database_unavailable", extra={"error": type(error).__name__, "cause": str(error.__cause__)})
    return answer_for(Busy("The database does not answer right now. Nothing was lost; try again in a moment."))


def _from_anything(error: Exception) -> Response:
    """The last resort: log everything, tell the caller nothing but where to find it."""
    db.session.rollback()
    # The rule and not the path: a path may hold the token of a link.
    log.exception("unexpected_error", extra={"rule": str(request.url_rule), "method": request.method})
    return answer_for(TokenBoardError(f"Something broke on our side. Reference: {g.get('request_id', '')}"))
