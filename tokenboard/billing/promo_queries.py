"""Reads of promo codes: batches with what is left of them, who redeemed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import undefer

from tokenboard.accounts.models import Person
from tokenboard.billing.promo_models import PromoBatch, PromoCode, PromoRedemption
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.workspaces.models import Workspace

MOST_REDEMPTIONS = 50  # shown of one batch


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch, how many codes it has, how often they were redeemed."""

    batch: PromoBatch
    codes: int
    redeemed: int

    @property
    def possible(self) -> int:
        """How often its codes can be redeemed in all."""
        return self.codes * self.batch.uses_each

    @property
    def state(self) -> str:
        """open, used up, expired or ended."""
        if self.batch.ended_at is not None:
            return "ended"
        if self.batch.expires_at is not None and self.batch.expires_at <= now():
            return "expired"
        return "used up" if self.redeemed >= self.possible else "open"


@dataclass(frozen=True, slots=True)
class Redemption:
    """A code used by somebody. Name and workspace are empty when they are gone."""

    at: datetime
    last4: str
    email: str
    workspace: str


def _lines() -> Select[PromoBatch, int, int]:
    told = (PromoBatch, func.count(PromoCode.id), func.coalesce(func.sum(PromoCode.uses), 0))
    return select(*told).join(PromoCode, PromoCode.batch_id == PromoBatch.id, isouter=True).group_by(PromoBatch.id)


def batches(*, limit: int, before: str | None = None) -> list[BatchLine]:
    """Newest first; `before` is the last batch of the page before."""
    found = _lines().order_by(PromoBatch.created_at.desc(), PromoBatch.id.desc()).limit(limit)
    if before and (last := db.session.get(PromoBatch, before)):
        found = found.where(tuple_(PromoBatch.created_at, PromoBatch.id) < (last.created_at, last.id))
    return [BatchLine(batch, codes, int(redeemed)) for batch, codes, redeemed in db.session.execute(found)]


def batch(batch_id: str) -> BatchLine | None:
    """One batch, with its sealed codes while there are any."""
    found = _lines().where(PromoBatch.id == batch_id).options(undefer(PromoBatch.sealed_codes))
    row = db.session.execute(found.execution_options(populate_existing=True)).first()
    return BatchLine(row[0], row[1], int(row[2])) if row else None


def redemptions(batch_id: str) -> list[Redemption]:
    """The latest ones."""
    found = (
        select(PromoRedemption.created_at, PromoCode.last4, Person.email, Workspace.name)
        .join(PromoCode, PromoCode.id == PromoRedemption.code_id)
        .join(Person, Person.id == PromoRedemption.person_id, isouter=True)
        .join(Workspace, Workspace.id == PromoRedemption.workspace_id, isouter=True)
        .where(PromoRedemption.batch_id == batch_id)
        .order_by(PromoRedemption.created_at.desc(), PromoRedemption.id.desc())
        .limit(MOST_REDEMPTIONS)
    )
    return [Redemption(at, last4, email or "", name or "") for at, last4, email, name in db.session.execute(found)]
