"""The control room's overview and books: /admin, /admin/books (do they balance), /admin/adjust (give and take credits).

What they change is audited in the services.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.parsing import parse_id
from tokenboard.ops import adjust_page, books_page, books_service, control_room, overview_page
from tokenboard.wallet import adjustment_service, queries
from tokenboard.wallet.adjustment_service import Wish
from tokenboard.wallet.forms import read_adjustment
from tokenboard.web.forms import faults_of, fields
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter

blueprint = Blueprint("books", __name__, url_prefix="/admin")

CHECKS = "6/minute"  # a check reads every entry
BOOKS, ADJUST = "/admin/books", "/admin/adjust"

control_room.furnish(blueprint)


@blueprint.get("")
def overview() -> Response:
    return page("ops/overview.html", fragments=("overview",), overview=overview_page.build())


@blueprint.get("/books")
def books() -> Response:
    return page("ops/books.html", fragments=("books",), books=books_page.build())


@blueprint.post("/books/check")
@limiter.limit(CHECKS)
def check_books() -> BaseResponse:
    actor = current_person().id
    found = books_service.examine()
    books_service.keep(found)
    books_service.record_check(found, actor=actor)
    db.session.commit()
    broken = [one.number for one in found if one.offenders]
    flash(f"Broken: {', '.join(broken)}." if broken else "Every law holds.", "error" if broken else "success")
    return see_other(BOOKS)


@blueprint.get("/adjust")
def adjust() -> Response:
    return _adjust_page()


def _adjust_page(refusal: TokenBoardError | None = None) -> Response:
    given = request.form if request.method == "POST" else request.args
    return page(
        "ops/adjust.html",
        fragments=("targets",),
        status=refusal.status if refusal else 200,
        view=adjust_page.build(given.get("who", "")[:300], me=current_person().id),
        typed={name: given.get(name, "")[:200] for name in ("amount", "reason", "expires_on", "kind", "workspace_id")},
        form_key=new_id(),
        faults=faults_of(refusal) if refusal else {},
    )


@blueprint.post("/adjust")
def give_or_take() -> Response | BaseResponse:
    person = current_person()
    try:
        form = read_adjustment(request.form)
        ids = fields(request.form, workspace_id=parse_id, form_key=parse_id)
        workspace = queries.target(workspace_id=ids["workspace_id"])
        wish = Wish(workspace, form.kind, form.amount_micros, form.reason, form.expires_at)
        done = adjustment_service.adjust(wish=wish, actor=person, adjustment_id=ids["form_key"])
    except TokenBoardError as refusal:
        db.session.rollback()
        return _adjust_page(refusal)
    db.session.commit()
    flash(adjust_page.done_words(done), "success" if done.state == "posted" else "info")
    return see_other(ADJUST)


@blueprint.post("/adjust/<id:adjustment_id>/approve")
def approve(adjustment_id: str) -> BaseResponse:
    done = adjustment_service.approve(adjustment_id=adjustment_id, actor=current_person())
    db.session.commit()
    flash(adjust_page.done_words(done), "success")
    return see_other(ADJUST)


@blueprint.post("/adjust/<id:adjustment_id>/decline")
def decline(adjustment_id: str) -> BaseResponse:
    done = adjustment_service.decline(adjustment_id=adjustment_id, actor=current_person())
    db.session.commit()
    flash(adjust_page.done_words(done), "success")
    return see_other(ADJUST)
