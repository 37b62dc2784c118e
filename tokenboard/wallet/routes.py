"""Pages of the wallet: credits, receipts, the pill, the worked example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from flask import Blueprint, Response, flash, redirect, request
from jinja2_fragments.flask import render_block
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import sessions
from tokenboard.accounts.guards import current_person
from tokenboard.core.clock import iso
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.money import MICROS_PER_CREDIT, credits_from_micros
from tokenboard.wallet import credits_page, low_balance_service, queries, receipt_page, service
from tokenboard.wallet.forms import MOST_ENTRIES, read_threshold
from tokenboard.wallet.rules import KIND_WORDS
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.web.spreadsheets import csv_answer
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role, Workspace

blueprint = Blueprint("wallet", __name__)

PAGE = credits_page.PATH
FRAGMENTS = ("ledger",)
ASKS = "6/hour"  # of one address: administrators are people
MOST_CSV_ROWS = 10_000


@blueprint.get(PAGE)
def show_credits() -> Response:
    return _page(access.load(request.args.get("workspace_id"), current_person()))


@blueprint.get("/billing")
def credits_alias() -> BaseResponse:
    current_person()
    query = request.query_string.decode("ascii", "ignore")
    return redirect(f"{PAGE}?{query}" if query else PAGE, 308)


def _page(found: WorkspaceAccess, refusal: ValidationFailed | None = None) -> Response:
    workspace = found.workspace
    line = queries.low_balance(workspace)
    return page(
        "wallet/credits.html",
        fragments=FRAGMENTS,
        status=refusal.status if refusal else 200,
        workspace=workspace,
        may_change=found.allows(Role.ADMIN),
        may_spend=found.allows(Role.MEMBER),
        balance=credits_page.balance_block(workspace),
        ledger=credits_page.ledger_lines(workspace, kind=_kind(), cursor=_cursor(), kept=_kept(workspace)),
        credit_price=credits_page.price(MICROS_PER_CREDIT),
        threshold=request.form.get("threshold", "")[:40] if refusal else credits_page.threshold_text(line),
        is_low=line is not None and not line.is_armed,
        was_told=line is not None and line.told_at is not None,
        faults=faults_of(refusal) if refusal else {},
    )


def _kept(workspace: Workspace) -> dict[str, str]:
    """A page about a workspace that its address names stays with it."""
    return {"workspace_id": workspace.id} if "workspace_id" in request.args else {}


def _kind() -> str:
    """A filter of the page's address; one that does not exist shows everything."""
    kind = request.args.get("kind", "")
    return kind if kind in KIND_WORDS else ""


def _cursor() -> str:
    cursor = request.args.get("cursor", "")
    return cursor if re.fullmatch("[0-9]{1,18}", cursor) else ""


@blueprint.get(credits_page.CSV_PATH)
def ledger_csv() -> Response:
    workspace = access.load(request.args.get("workspace_id"), current_person()).workspace
    return csv_answer("tokenboard-credits.csv", _csv_rows(workspace))


def _csv_rows(workspace: Workspace) -> Iterator[list[str | Decimal]]:
    """The same query as the page's, page after page, newest first."""
    yield ["Time (UTC)", "Kind", "Description", "Credits", "Balance after", "Source", "Id"]
    cursor: str | None = None
    for _ in range(MOST_CSV_ROWS // MOST_ENTRIES):
        found = queries.statement(workspace, kind=_kind() or None, cursor=cursor, limit=MOST_ENTRIES)
        for line in found.lines:
            amount, after = credits_from_micros(line.amount_micros), credits_from_micros(line.posted_after_micros)
            texts = (line.source, line.transaction_id)
            yield [iso(line.created_at), line.kind, line.description, amount, after, *texts]
        if found.next_before is None:
            return
        cursor = str(found.next_before)


@blueprint.get("/credits/transactions/<id:transaction_id>")
def receipt(transaction_id: str) -> Response:
    found, receipt = queries.receipt(current_person(), transaction_id)
    return page("wallet/receipt.html", workspace=found.workspace, receipt=receipt_page.build(receipt))


@blueprint.post("/credits/low-balance")
def draw_line() -> Response | BaseResponse:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.ADMIN)
    try:
        threshold = read_threshold(request.form)
    except ValidationFailed as refusal:
        return _page(found, refusal)
    low_balance_service.draw_line(workspace=found.workspace, threshold_micros=threshold, actor=person.id)
    db.session.commit()
    flash("Saved." if threshold else "Nobody is told any more.", "success")
    return see_other(PAGE)


@blueprint.post("/credits/ask")
@limiter.limit(ASKS)
def ask() -> BaseResponse:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.MEMBER)
    service.ask_for_credits(workspace=found.workspace, actor=person)
    db.session.commit()
    flash("The administrators of this site see your request.", "success")
    return see_other(PAGE)


@blueprint.get("/credits/pill")
def pill() -> Response:
    """What other open tabs ask for now and then; nothing while nothing has changed (204: htmx swaps nothing)."""
    current = access.load(None, current_person())
    sessions.leave_untouched()  # an open tab is no sign that somebody sits there
    seen = request.args.get("seen", "")
    if seen == str(max(0, queries.balance(current.workspace).available_micros)):
        return Response(status=204)
    return Response(render_block("base.html", "balance_pill"))
