"""Telling a workspace that its credits run low: once each time the balance falls below the line it has drawn.

It hears the ledger's one signal, inside the transaction that changed the balance, so that the message commits with the
entries or not at all; a guarded UPDATE decides who tells. What is held counts as there: a hold that comes back is no
crossing.
"""

from __future__ import annotations

from sqlalchemy import delete, update

from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.money import credits_from_micros, json_number
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.signals import watchers
from tokenboard.wallet.models import LowBalance
from tokenboard.wallet.rules import has_crossed
from tokenboard.web.filters import credit_amount
from tokenboard.workspaces.models import Workspace
from tokenboard.workspaces.telling import tell

KIND = "wallet.low_balance"
_LINES = "SELECT 1 FROM low_balance WHERE wallet_id = :wallet_id"


def connect() -> None:
    """Hear every change of a balance with a line. Connecting twice is connecting once."""
    watchers.add(look, _LINES)


def look(wallet_id: str) -> None:
    """After a change: tell when the balance has fallen below its line; arm again when it is back."""
    line = db.session.get(LowBalance, wallet_id, populate_existing=True)
    if line is None:
        return
    posted_micros = ledger.balance(wallet_id).posted_micros
    is_low = has_crossed(posted_micros=posted_micros, threshold_micros=line.threshold_micros)
    if is_low == line.is_armed and _swing(line, to_armed=not is_low) and is_low:
        _tell(line, posted_micros)


def _swing(line: LowBalance, *, to_armed: bool) -> bool:
    """Move the arm; whether it was this transaction that did."""
    values = {"is_armed": True} if to_armed else {"is_armed": False, "told_at": now()}
    moved = update(LowBalance).where(LowBalance.wallet_id == line.wallet_id, LowBalance.is_armed.is_(not to_armed))
    return db.session.scalar(moved.values(**values).returning(LowBalance.wallet_id)) is not None


def _tell(line: LowBalance, posted_micros: int) -> None:
    workspace = db.session.get_one(Workspace, line.workspace_id)
    assert line.told_at is not None, "the arm has just been moved"
    tell(
        workspace.id,
        kind=KIND,
        subject=f"{workspace.name}: {credit_amount(posted_micros)} credits left",
        text=_text(workspace.name, posted_micros, line.threshold_micros),
        payload={
            "workspaceId": workspace.id,
            "workspace": workspace.name,
            "balance": json_number(credits_from_micros(posted_micros)),
            "balanceMicros": posted_micros,
            "threshold": json_number(credits_from_micros(line.threshold_micros)),
        },
        cause=f"low-balance:{line.wallet_id}:{line.told_at:%Y%m%dT%H%M%S%f}",
    )


def _text(workspace_name: str, posted_micros: int, threshold_micros: int) -> str:
    left, line = credit_amount(posted_micros), credit_amount(threshold_micros)
    return "\n".join(
        (
            f"The wallet of {workspace_name} has {left} credits left; you asked to be told below {line}.",
            "",
            "What is left, what expires next and how long it lasts at your pace:",
            f"{settings().base_url}/credits",
            "",
            "You are told again after the balance has been above that line.",
            "",
        )
    )


def draw_line(*, workspace: Workspace, threshold_micros: int | None, actor: str) -> None:
    """Set below which balance to tell; None: never. A balance that is below already has not crossed the line."""
    wallet_id = workspace.ledger_account_id
    before = db.session.get(LowBalance, wallet_id)
    facts = {"before": before.threshold_micros if before else None, "after": threshold_micros}
    if facts["before"] == facts["after"]:
        return
    if threshold_micros is None:
        db.session.execute(delete(LowBalance).where(LowBalance.wallet_id == wallet_id))
    else:
        _keep(workspace, threshold_micros)
    audit.record("wallet.low_balance_line", actor=actor, subject=wallet_id, workspace_id=workspace.id, facts=facts)


def _keep(workspace: Workspace, threshold_micros: int) -> None:
    posted_micros = ledger.balance(workspace.ledger_account_id).posted_micros
    is_low = has_crossed(posted_micros=posted_micros, threshold_micros=threshold_micros)
    drawn = {"threshold_micros": threshold_micros, "is_armed": not is_low}
    statement = insert(LowBalance).values(wallet_id=workspace.ledger_account_id, workspace_id=workspace.id, **drawn)
    db.session.execute(statement.on_conflict_do_update(index_elements=["wallet_id"], set_=drawn))
