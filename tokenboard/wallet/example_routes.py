"""/example-ai: the worked example of a metered feature, as a page.

The answer to the form is drawn at once, without the usual redirect: the form carries a key, so sending it again (double
click, reload, back) shows the same answer and spends nothing.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.settings import settings
from tokenboard.ledger.errors import InsufficientCredits
from tokenboard.ledger.results import Posting
from tokenboard.wallet import credits_page, example, queries, service
from tokenboard.wallet.forms import clean_prompt
from tokenboard.wallet.rules import read_key
from tokenboard.web.filters import credit_amount
from tokenboard.web.forms import faults_of, fields
from tokenboard.web.fragments import page, with_out_of_band
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

blueprint = Blueprint("wallet_example", __name__)

PAGE = "/example-ai"
_SAMPLE = "Every credit has two ends: where it came from and where it went. Spend first, then work."


@blueprint.get(PAGE)
def example_ai() -> Response:
    return _page(access.load(None, current_person(), at_least=Role.MEMBER))


@blueprint.post(PAGE)
def use_example() -> Response:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.MEMBER)
    try:
        read = fields(request.form, prompt=clean_prompt, key=read_key)
        posting = service.use_example(workspace=found.workspace, prompt=read["prompt"], key=read["key"])
    except TokenBoardError as refusal:
        db.session.rollback()
        return _page(found, refusal=refusal)
    db.session.commit()
    return _page(found, posting=posting, answer=example.read(read["prompt"]).text)


def _page(
    found: WorkspaceAccess,
    *,
    posting: Posting | None = None,
    answer: str = "",
    refusal: TokenBoardError | None = None,
) -> Response:
    """The page, or its `feature` with the pill beside it."""
    balance = queries.balance(found.workspace)
    drawn = page(
        "wallet/example.html",
        fragments=("feature",),
        status=refusal.status if refusal else 200,
        workspace=found.workspace,
        price=credit_amount(example.PRICE_MICROS),
        price_money=credits_page.price(example.PRICE_MICROS),
        left=credit_amount(max(0, balance.available_micros)),
        can_pay=balance.available_micros >= example.PRICE_MICROS,
        key=new_id(),
        prompt=request.form.get("prompt", _SAMPLE)[:4_000],
        posting=posting,
        answer=answer,
        is_short=isinstance(refusal, InsufficientCredits),
        faults=faults_of(refusal) if refusal and not isinstance(refusal, InsufficientCredits) else {},
        curl=example.curl_code(settings().base_url),
        python=example.python_code(settings().base_url),
    )
    return with_out_of_band(drawn, "base.html", "balance_pill", is_out_of_band=True)
