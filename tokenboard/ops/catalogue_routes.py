"""The control room's catalogue: what is sold, what is not and why, *Sync now*."""

from __future__ import annotations

from flask import Blueprint, Response, flash
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.audit import service as audit
from tokenboard.billing import tasks
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured
from tokenboard.ops import catalogue_page, control_room
from tokenboard.providers.payments import PaymentError
from tokenboard.web.filters import plural
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter

blueprint = Blueprint("admin_catalogue", __name__, url_prefix="/admin/catalogue")

SYNCS = "12/minute"  # each asks Stripe for every price

control_room.furnish(blueprint)


@blueprint.get("")
def catalogue() -> Response:
    return page("ops/catalogue.html", fragments=("catalogue",), view=catalogue_page.build())


@blueprint.post("/sync")
@limiter.limit(SYNCS)
def sync() -> BaseResponse:
    """Twice is once: what Stripe lists is taken over as it is."""
    actor = current_person().id
    db.session.commit()
    try:
        synced = tasks.sync_catalogue()
    except PaymentError as error:
        db.session.rollback()
        flash(error.user_message, "error")
    except NotConfigured as error:
        flash(error.message, "error")
    else:
        audit.record("billing.prices_synced", actor=actor, facts={"prices": synced.prices})
        db.session.commit()
        skipped = f" {plural(len(synced.skipped), 'thing')} cannot be sold; see why below." if synced.skipped else ""
        words = f"{plural(synced.products, 'product')} and {plural(synced.prices, 'price')} were taken over.{skipped}"
        flash(words, "success")
    return see_other(catalogue_page.PATH)
