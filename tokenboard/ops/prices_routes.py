"""The control room's prices: every model, its versions, a rehearsal of another price, and only then saving it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict, NotFound, TokenBoardError, ValidationFailed
from tokenboard.metering import price_queries, price_service
from tokenboard.metering.models import ModelPrice
from tokenboard.metering.price_rules import PriceWanted
from tokenboard.ops import control_room, price_forms, price_page, prices_page
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter

blueprint = Blueprint("admin_prices", __name__, url_prefix="/admin/prices")

ACTS = "60/minute"
REHEARSALS = "60/minute"  # each sums a month of everybody's use
PAGE = prices_page.PATH

control_room.furnish(blueprint)


@blueprint.get("")
def prices() -> Response:
    return page("ops/prices.html", fragments=("prices",), view=prices_page.build(request.args))


@blueprint.get("/<id:price_id>")
@limiter.limit(REHEARSALS)
def price(price_id: str) -> Response | BaseResponse:
    """With the form's fields in the address: that price's rehearsal. Any version leads to its model's current one."""
    current = _current(price_id)
    if current.id != price_id:
        return see_other(f"{PAGE}/{current.id}")
    if "state" not in request.args:
        return _page(current, price_forms.typed_of(current))
    try:
        return _page(current, request.args, price_forms.wanted(price_forms.read_price(request.args), current))
    except ValidationFailed as refusal:
        return _page(current, request.args, refusal=refusal)


def _current(price_id: str) -> ModelPrice:
    """The current version of the model that this version is of. Raises: NotFound."""
    found = db.session.get(ModelPrice, price_id)
    if found is None:
        raise NotFound
    return found if found.replaced_at is None else price_queries.versions(found.model, limit=1)[0]


def _page(
    current: ModelPrice,
    typed: Mapping[str, str],
    wanted: PriceWanted | None = None,
    refusal: TokenBoardError | None = None,
) -> Response:
    return page(
        "ops/price.html",
        fragments=("rehearsal",),
        status=refusal.status if refusal else 200,
        view=price_page.build(current, wanted),
        typed={name: typed.get(name, "")[:40] for name in price_forms.FIELDS},
        faults=faults_of(refusal) if refusal else {},
    )


@blueprint.post("/<id:price_id>")
@limiter.limit(ACTS)
def save(price_id: str) -> Response | BaseResponse:
    """The address names the version the rehearsal was made against: another one since is not overwritten unseen."""
    actor = current_person().id
    require_recent_proof()
    current = _current(price_id)
    try:
        if current.id != price_id:
            raise Conflict("This price was changed meanwhile. Look at it as it is now, and rehearse again.")
        form = price_forms.read_price(request.form)
        row = price_service.set_price(wanted=price_forms.wanted(form, current), actor=actor)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _page(_current(price_id), request.form, refusal=refusal)
    db.session.commit()
    flash(f"{row.model} has this price from now on. Calls under way keep theirs.", "success")
    return see_other(f"{PAGE}/{row.id}")


@blueprint.post("/<id:price_id>/give-up")
@limiter.limit(ACTS)
def give_up(price_id: str) -> BaseResponse:
    actor = current_person().id
    require_recent_proof()
    current = _current(price_id)
    price_service.give_up(model=current.model, actor=actor)
    db.session.commit()
    flash(f"{current.model} is not offered until the next sync, which writes what the sources say.", "info")
    return see_other(PAGE)
