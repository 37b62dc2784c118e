"""Pages of the wallet: its ledger as a CSV, receipts, the pill, asking for credits.

The page /credits itself stands higher, in billing: what can be bought is shown beside what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from flask import Blueprint, Response, flash, request
from jinja2_fragments.flask import render_block
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import sessions
from tokenboard.accounts.guards import current_person
from tokenboard.core.clock import iso
from tokenboard.core.db import db
from tokenboard.core.money import credits_from_micros
from tokenboard.wallet import credits_page, queries, receipt_page, service
from tokenboard.wallet.forms import MOST_ENTRIES
from tokenboard.wallet.rules import KIND_WORDS
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.web.spreadsheets import csv_answer
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role, Workspace

blueprint = Blueprint("wallet", __name__)

PAGE = credits_page.PATH
ASKS = "6/hour"  # of one address: administrators are people
MOST_CSV_ROWS = 10_000


def _kind() -> str:
    """A filter of the page's address; one that does not exist shows everything."""
    kind = request.args.get("kind", "")
    return kind if kind in KIND_WORDS else ""


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
