"""Pages about plans: the workspace's own, the way to Stripe's portal, and the public price list."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person, person_or_none
from tokenboard.billing import catalogue_queries, opening, plan_page, pricing_page
from tokenboard.billing.errors import NoCustomer, ProviderFailed
from tokenboard.core.settings import settings
from tokenboard.web.clients import clients
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

blueprint = Blueprint("plans", __name__)

PORTALS = "30/minute"  # each is a call to Stripe
_FRESH_SECONDS = 60  # a price list may be a minute old; what is charged is read anew


@blueprint.get(plan_page.PATH)
def show_subscription() -> Response:
    return _page(access.load(request.args.get("workspace_id"), current_person()))


def _page(found: WorkspaceAccess, *, trouble: str = "", status: int = 200) -> Response:
    return page(
        "billing/subscription.html",
        status=status,
        workspace=found.workspace,
        page=plan_page.plan_page(found.workspace.id),
        may_change=found.allows(Role.ADMIN),
        may_buy=found.allows(Role.MEMBER) and not found.workspace.is_demo,
        has_plans=clients().mode("stripe") != "off",
        trouble=trouble,
    )


@blueprint.post(f"{plan_page.PATH}/portal")
@limiter.limit(PORTALS)
def open_portal() -> Response | BaseResponse:
    """Card, plan, cancellation and invoices at Stripe."""
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.ADMIN)
    try:
        url = opening.portal_url(workspace_id=found.workspace.id, providers=clients())
    except NoCustomer as refusal:
        return _page(found, trouble=refusal.message, status=refusal.status)
    except ProviderFailed as error:
        return _page(found, trouble=error.message, status=503)
    return see_other(url)


@blueprint.get("/pricing")
def show_pricing() -> Response:
    """Open to anyone; kept for a minute by whoever asks without a cookie."""
    modes = {name: clients().mode(name) for name in ("stripe", "paystack")}
    prices = pricing_page.prices(
        catalogue_queries.for_sale(),
        modes,
        settings(),
        currency=request.args.get("currency", "").upper(),
        is_signed_in=person_or_none() is not None,
    )
    answer = page("billing/pricing.html", prices=prices)
    if not request.cookies:
        answer.headers["Cache-Control"] = f"public, max-age={_FRESH_SECONDS}"
    answer.vary.add("Cookie")
    return answer
