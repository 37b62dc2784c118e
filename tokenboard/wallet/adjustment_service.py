"""Credits that administrators, or programs with the admin key, give and take; every one with a reason.

Laws: an adjustment is a row in every state; alone one may so much at once and so much a day (adjustment_rules.py), the
rest waits for a second administrator; the row, the entries and the audit entry commit together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.audit.alerts import resolve_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.core.redaction import redact
from tokenboard.core.upsert import insert
from tokenboard.ledger import service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import Posting
from tokenboard.ledger.rules import LONGEST_DESCRIPTION
from tokenboard.wallet.adjustment_rules import KEY_ACTOR, daily_cap_micros, needs_second
from tokenboard.wallet.errors import AlreadyDecided, DailyCapReached, SecondNeeded
from tokenboard.wallet.models import Adjustment, AdjustmentDay, AdjustmentKind, AdjustmentState
from tokenboard.wallet.service import ASKED_KIND
from tokenboard.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be given or taken: `amount_micros` is signed, only a correction may be negative."""

    workspace: Workspace
    kind: AdjustmentKind
    amount_micros: int
    reason: str
    expires_at: datetime | None = None


def adjust(*, wish: Wish, actor: Person, adjustment_id: str) -> Adjustment:
    """Give or take credits now, or propose it when it is too large for one.

    Idempotent: by `adjustment_id`, made when the form was drawn; a form sent twice shows the first result.
    Raises: DailyCapReached, InsufficientCredits, AccountArchived.
    """
    if not _propose(wish, actor.id, adjustment_id):
        return db.session.get_one(Adjustment, adjustment_id)
    proposal = db.session.get_one(Adjustment, adjustment_id)
    if needs_second(wish.amount_micros):
        _record("proposed", proposal, actor.id)
        return proposal
    _count_towards_cap(actor.id, wish.amount_micros)
    return _posted(proposal, wish, actor.id)


def _propose(wish: Wish, actor: str, adjustment_id: str) -> bool:
    """Write it down. Whether this transaction is the one that did."""
    written = insert(Adjustment).values(
        id=adjustment_id,
        workspace_id=wish.workspace.id,
        kind=wish.kind,
        amount_micros=wish.amount_micros,
        expires_at=wish.expires_at,
        reason=wish.reason,
        state=AdjustmentState.PROPOSED,
        actor=actor,
        created_at=now(),
    )
    once = written.on_conflict_do_nothing(index_elements=["id"])
    return db.session.scalar(once.returning(Adjustment.id)) is not None


def approve(*, adjustment_id: str, actor: Person) -> Adjustment:
    """Post a proposal. Two administrators stand behind it, so it counts towards nobody's day.

    Raises: NotFound, SecondNeeded, AlreadyDecided, InsufficientCredits, AccountArchived.
    """
    proposal = _proposal(adjustment_id)
    if proposal.actor == actor.id:
        raise SecondNeeded
    workspace = db.session.get_one(Workspace, proposal.workspace_id)
    kind = AdjustmentKind(proposal.kind)
    return _posted(
        proposal, Wish(workspace, kind, proposal.amount_micros, proposal.reason, proposal.expires_at), actor.id
    )


def decline(*, adjustment_id: str, actor: Person) -> Adjustment:
    """Put a proposal away; its author may withdraw it. Raises: NotFound, AlreadyDecided."""
    proposal = _proposal(adjustment_id)
    _decide(proposal, AdjustmentState.DECLINED, actor.id)
    _record("declined", proposal, actor.id)
    return proposal


def _proposal(adjustment_id: str) -> Adjustment:
    found = db.session.get(Adjustment, adjustment_id)
    if found is None:
        raise NotFound
    return found


def _posted(proposal: Adjustment, wish: Wish, actor: str) -> Adjustment:
    posting = _post(wish, key=f"adjustment:{proposal.id}", source=f"adjustment:{proposal.id}")
    _decide(proposal, AdjustmentState.POSTED, actor, transaction_id=posting.transaction_id)
    _record("posted", proposal, actor)
    resolve_alert(ASKED_KIND, subject=proposal.workspace_id)
    return proposal


def _decide(proposal: Adjustment, state: AdjustmentState, actor: str, *, transaction_id: str | None = None) -> None:
    """End a proposal once, also when two administrators press at the same moment. Raises: AlreadyDecided."""
    still_open = update(Adjustment).where(Adjustment.id == proposal.id, Adjustment.state == AdjustmentState.PROPOSED)
    values = {"state": state, "decided_by": actor, "decided_at": now(), "transaction_id": transaction_id}
    ended = db.session.scalar(still_open.values(**values).returning(Adjustment.id))
    db.session.refresh(proposal)
    if ended is None:
        raise AlreadyDecided(proposal.state)


def _post(wish: Wish, *, key: str, source: str) -> Posting:
    """Into the ledger: a gift and a correction upwards are grants, a correction downwards takes what is available."""
    wallet_id, description = wish.workspace.ledger_account_id, redact(wish.reason)[:LONGEST_DESCRIPTION]
    if wish.amount_micros < 0:
        return ledger.spend(
            wallet_id=wallet_id,
            amount_micros=-wish.amount_micros,
            key=key,
            description=description,
            source=source,
            house=House.ADJUSTMENTS,
        )
    is_gift = wish.kind == AdjustmentKind.GIFT
    return ledger.grant(
        wallet_id=wallet_id,
        amount_micros=wish.amount_micros,
        category=Category.PROMOTIONAL if is_gift else Category.PAID,
        house=House.PROMOTIONS if is_gift else House.ADJUSTMENTS,
        key=key,
        expires_at=wish.expires_at,
        description=description,
        source=source,
    )


def grant_by_key(*, wish: Wish, key: str) -> Posting:
    """A gift through the admin key.

    Idempotent: by `key`, of this wallet. Raises: DailyCapReached, IdempotencyConflict, AccountArchived.
    """
    posting = _post(wish, key=key, source="wallet:admin-key")
    if posting.is_replay:
        return posting
    _count_towards_cap(KEY_ACTOR, wish.amount_micros)
    done = Adjustment(
        workspace_id=wish.workspace.id,
        kind=wish.kind,
        amount_micros=wish.amount_micros,
        expires_at=wish.expires_at,
        reason=wish.reason,
        state=AdjustmentState.POSTED,
        actor=KEY_ACTOR,
        decided_by=KEY_ACTOR,
        decided_at=now(),
        transaction_id=posting.transaction_id,
    )
    db.session.add(done)
    db.session.flush()
    _record("posted", done, KEY_ACTOR)
    return posting


def _count_towards_cap(actor: str, amount_micros: int) -> None:
    """One guarded upsert, so that two adjustments at once cannot both pass. Raises: DailyCapReached."""
    instant, cap_micros = now(), daily_cap_micros(actor)
    fresh = insert(AdjustmentDay).values(actor=actor, day=instant.date(), total_micros=abs(amount_micros))
    grown = AdjustmentDay.total_micros + abs(amount_micros)
    counted = fresh.on_conflict_do_update(
        index_elements=["actor", "day"], set_={"total_micros": grown}, where=grown <= cap_micros
    )
    is_within = abs(amount_micros) <= cap_micros
    if not is_within or db.session.scalar(counted.returning(AdjustmentDay.actor)) is None:
        raise DailyCapReached(cap_credits=cap_micros // MICROS_PER_CREDIT, at=instant)


def _record(what: str, adjustment: Adjustment, actor: str) -> None:
    facts = {"kind": adjustment.kind, "amount_micros": adjustment.amount_micros, "reason": adjustment.reason}
    audit.record(
        f"wallet.adjustment_{what}",
        actor=actor,
        subject=adjustment.id,
        workspace_id=adjustment.workspace_id,
        facts=facts,
    )
