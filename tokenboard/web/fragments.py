"""One template a page; a fragment is one of its blocks. Here is decided which of the two an answer is.

Law: id = block = target. `<section id="panel">` is `{% block panel %}` and is what `HX-Target: panel` receives.
Source: style.md, traps 1 and 2 (the rule passed on htmx 2 and 4).
"""

from __future__ import annotations

from flask import Response, current_app, make_response, redirect, render_template, request
from jinja2_fragments.flask import render_block
from werkzeug.wrappers import Response as BaseResponse


def is_fragment_request() -> bool:
    """Whether htmx wants a piece: not a boosted link, not a step back in history, not a full page by its own word."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
        and headers.get("HX-Request-Type") != "full"
    )


def wanted_fragment(allowed: tuple[str, ...]) -> str | None:
    """The allow-listed block the request targets, or None for the whole page."""
    target = request.headers.get("HX-Target", "").rpartition("#")[2]
    return target if is_fragment_request() and target in allowed else None


def page(template: str, *, fragments: tuple[str, ...] = (), status: int = 200, **context: object) -> Response:
    """Render the page, or the block of it that was asked for."""
    block = wanted_fragment(fragments)
    html = render_block(template, block, **context) if block else render_template(template, **context)
    answer = make_response(html, status)
    answer.vary.update(["HX-Request", "HX-Target"])
    return answer


def with_out_of_band(answer: Response, template: str, *blocks: str, **context: object) -> Response:
    """Append blocks that htmx swaps elsewhere on the page; they carry `hx-swap-oob` themselves."""
    if is_fragment_request():
        pieces = "".join(render_block(template, block, **context) for block in blocks)
        answer.set_data(answer.get_data(as_text=True) + pieces)
    return answer


def see_other(location: str) -> BaseResponse:
    """After a POST: 303, or htmx's own redirect."""
    if is_fragment_request():
        answer = current_app.response_class("", 204)
        answer.headers["HX-Redirect"] = location
        return answer
    return redirect(location, 303)
