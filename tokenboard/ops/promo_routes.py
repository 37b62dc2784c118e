"""The control room's promo codes: make a batch, see its codes until they are stored, watch it, end it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.billing import promo_queries, promo_service
from tokenboard.billing.promo_forms import read_batch
from tokenboard.billing.promo_queries import BatchLine
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import NotFound, TokenBoardError
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.ops import control_room, promo_page
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.web.spreadsheets import csv_answer

blueprint = Blueprint("admin_promo_codes", __name__, url_prefix="/admin/promo-codes")

MAKES = "20/minute"
PAGE = promo_page.PATH
FIELDS = ("name", "count", "gives", "credits", "plan", "uses_each", "expires_on", "live_days")

control_room.furnish(blueprint)


@blueprint.get("")
def promo_codes() -> Response:
    return _page()


def _page(refusal: TokenBoardError | None = None) -> Response:
    given = request.form if request.method == "POST" else {}
    return page(
        "ops/promo_codes.html",
        fragments=("batches",),
        status=refusal.status if refusal else 200,
        view=promo_page.build(cursor=or_none(parse_id, request.args.get("cursor", "")) or ""),
        typed={name: given.get(name, "")[:255] for name in FIELDS},
        form_key=new_id(),
        faults=faults_of(refusal) if refusal else {},
    )


@blueprint.post("")
@limiter.limit(MAKES)
def make_batch() -> Response | BaseResponse:
    try:
        form = read_batch(request.form)
        batch, _ = promo_service.make_batch(wish=form.wish, actor=current_person().id, batch_id=form.form_key)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _page(refusal)
    db.session.commit()
    return see_other(f"{PAGE}/{batch.id}")


@blueprint.get("/<id:batch_id>")
def batch(batch_id: str) -> Response:
    view = promo_page.batch_page(_batch(batch_id), me=current_person().id)
    answer = page("ops/promo_batch.html", view=view)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/<id:batch_id>/codes.csv")
def codes_csv(batch_id: str) -> Response:
    """Until they are stored; afterwards there is nothing to download any more."""
    line = _batch(batch_id)
    codes = promo_service.shown_codes(line.batch, current_person().id)
    if not codes:
        raise NotFound
    answer = csv_answer("tokenboard-promo-codes.csv", [["Code", "Batch"], *([code, line.batch.name] for code in codes)])
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/<id:batch_id>/stored")
def put_codes_away(batch_id: str) -> BaseResponse:
    line = _batch(batch_id)
    promo_service.put_codes_away(batch_id=line.batch.id, actor=current_person().id)
    db.session.commit()
    flash("The codes are not shown any more.", "success")
    return see_other(f"{PAGE}/{batch_id}")


@blueprint.post("/<id:batch_id>/end")
def end_batch(batch_id: str) -> BaseResponse:
    ended = promo_service.end_batch(batch_id=batch_id, actor=current_person().id)
    db.session.commit()
    flash(f"{ended.name} has ended.", "success")
    return see_other(f"{PAGE}/{batch_id}")


def _batch(batch_id: str) -> BatchLine:
    """Raises: NotFound."""
    found = promo_queries.batch(batch_id)
    if found is None:
        raise NotFound
    return found
