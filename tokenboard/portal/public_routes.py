"""Pages for anyone: what models cost, the terms, the privacy notice, and whom to tell of a hole."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.core.clock import iso, now
from tokenboard.core.errors import NotFound
from tokenboard.core.settings import settings
from tokenboard.portal import price_list
from tokenboard.web.fragments import page

blueprint = Blueprint("public", __name__)

SECURITY_TXT = "/.well-known/security.txt"
_FRESH_SECONDS = 60
_SECURITY_TXT_LIVES = timedelta(days=180)  # RFC 9116 asks for less than a year


@blueprint.get(price_list.PATH)
def models() -> Response:
    shown = price_list.price_list(search=request.args.get("q", ""), kind=request.args.get("kind", ""))
    return _kept(page("portal/models.html", prices=shown))


@blueprint.get("/terms")
def terms() -> Response | BaseResponse:
    return (
        redirect(settings().terms_url, 302)
        if settings().terms_url
        else _kept(page("portal/terms.html", site=settings()))
    )


@blueprint.get("/privacy")
def privacy() -> Response | BaseResponse:
    return (
        redirect(settings().privacy_url, 302)
        if settings().privacy_url
        else _kept(page("portal/privacy.html", site=settings()))
    )


@blueprint.get(SECURITY_TXT)
def security_txt() -> Response:
    """RFC 9116. Raises: NotFound while nobody is named."""
    here = settings()
    if not here.security_contact:
        raise NotFound
    expires = (now() + _SECURITY_TXT_LIVES).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: {one}" for one in here.security_contact]
    lines += [f"Expires: {iso(expires)}", "Preferred-Languages: en", f"Canonical: {here.base_url}{SECURITY_TXT}"]
    lines += [f"Policy: {here.security_policy_url}"] if here.security_policy_url else []
    return _kept(Response("\n".join(lines) + "\n", mimetype="text/plain"))


def _kept(answer: Response) -> Response:
    """For a minute, by whoever asks without a cookie: nothing of it is about who looks."""
    if not request.cookies:
        answer.headers["Cache-Control"] = f"public, max-age={_FRESH_SECONDS}"
    answer.vary.add("Cookie")
    return answer
