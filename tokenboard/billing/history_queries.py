"""Reads of a workspace's payments for lists: newest first, by keyset, an order that became an invoice left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, select, tuple_

from tokenboard.billing.models import Payment
from tokenboard.billing.rules import PaymentKind, PaymentState
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id

_FRESH = timedelta(hours=2)  # a way back from a checkout is about an order of the last minutes


def payments(
    workspace_id: str, *, limit: int, states: Sequence[PaymentState] = (), cursor: str = "", is_paid: bool = False
) -> list[Payment]:
    """Up to `limit` payments after the one that `cursor` names; `is_paid`: those for which money came."""
    wanted = _of(workspace_id)
    if states:
        wanted = wanted.where(Payment.state.in_(states))
    if is_paid:
        wanted = wanted.where(Payment.paid_at.is_not(None), Payment.kind != PaymentKind.PLAN)
    last = _last_shown(workspace_id, cursor)
    if last is not None:
        wanted = wanted.where(tuple_(Payment.created_at, Payment.id) < (last.created_at, last.id))
    ordered = wanted.order_by(Payment.created_at.desc(), Payment.id.desc())
    return list(db.session.scalars(ordered.limit(limit)))


def _of(workspace_id: str) -> Select[Payment]:
    """A plan's checkout goes once its invoice is there."""
    is_done_plan = (Payment.kind == PaymentKind.PLAN) & (Payment.state == PaymentState.CREDITED)
    return select(Payment).where(Payment.workspace_id == workspace_id, ~is_done_plan)


def _last_shown(workspace_id: str, cursor: str) -> Payment | None:
    """The cursor is the last payment of the page before; one of another workspace is none."""
    wanted = or_none(parse_id, cursor) if cursor else None
    found = db.session.get(Payment, wanted) if wanted else None
    return found if found is not None and found.workspace_id == workspace_id else None


def latest_order(workspace_id: str, person_id: str) -> Payment | None:
    """What somebody who comes back from a checkout has just ordered."""
    mine = (Payment.workspace_id == workspace_id, Payment.person_id == person_id, Payment.created_at > now() - _FRESH)
    wanted = select(Payment).where(*mine).order_by(Payment.created_at.desc(), Payment.id.desc())
    return db.session.scalars(wanted.limit(1)).first()


def invoices(workspace_id: str, *, limit: int) -> Sequence[Payment]:
    """A plan's paid invoices, newest first."""
    wanted = _of(workspace_id).where(Payment.kind == PaymentKind.INVOICE)
    return db.session.scalars(wanted.order_by(Payment.created_at.desc(), Payment.id.desc()).limit(limit)).all()
