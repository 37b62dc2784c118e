"""Reads for the spend feeds: who stands behind a key, a call id, a customer. A few statements a batch, not a record."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from tokenboard.accounts.models import Person
from tokenboard.accounts.queries import person_by_any_email
from tokenboard.core.db import db
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.keys.spend_models import NEW, SpendBatch, SpendLine
from tokenboard.metering.models import MeteredCall
from tokenboard.workspaces.models import Membership, Role, Workspace


@dataclass(frozen=True, slots=True)
class Owner:
    """Who pays for a request, and where it counts."""

    workspace_id: str
    wallet_id: str
    person_id: str | None
    membership_id: str | None
    key_id: str | None = None
    secret_id: str | None = None
    key_window: str = ""


def known_lines(request_keys: Iterable[str]) -> set[str]:
    """Which of these requests have their line already."""
    return set(db.session.scalars(select(SpendLine.request_key).where(SpendLine.request_key.in_(list(request_keys)))))


def owners_by_hash(hashes: Iterable[str]) -> dict[str, Owner]:
    """The keys of ours among these, also revoked ones: what they used is owed."""
    found = (
        select(KeySecret.hash, KeySecret.id, VirtualKey, Workspace.ledger_account_id, Membership.id)
        .join(VirtualKey, VirtualKey.id == KeySecret.key_id)
        .join(Workspace, Workspace.id == VirtualKey.workspace_id)
        .outerjoin(
            Membership,
            and_(Membership.workspace_id == VirtualKey.workspace_id, Membership.person_id == VirtualKey.person_id),
        )
        .where(KeySecret.hash.in_(sorted(set(hashes))))
    )
    return {
        hash_: Owner(key.workspace_id, wallet_id, key.person_id, membership_id, key.id, secret_id, key.budget_window)
        for hash_, secret_id, key, wallet_id, membership_id in db.session.execute(found)
    }


def owners_by_email(emails: Iterable[str]) -> dict[str, Owner]:
    """The persons of ours among these, each with the personal wallet; also by an address they had before."""
    wanted = {email for email in emails if email}
    found = _owners_now(wanted)
    former = {email: person_by_any_email(email) for email in wanted - set(found)}
    theirs = _owners_now({person.email for person in former.values() if person is not None})
    known = ((email, person.email) for email, person in former.items() if person is not None)
    return found | {email: theirs[current] for email, current in known if current in theirs}


def _owners_now(emails: Iterable[str]) -> dict[str, Owner]:
    own = and_(Membership.person_id == Person.id, Membership.role == Role.OWNER)
    found = (
        select(Person.email, Person.id, Membership.id, Workspace.id, Workspace.ledger_account_id)
        .join(Membership, own)
        .join(Workspace, and_(Workspace.id == Membership.workspace_id, Workspace.is_personal))
        .where(Person.email.in_(sorted(emails)))
        .order_by(Workspace.created_at.desc(), Workspace.id)
    )
    return {
        email: Owner(workspace_id, wallet_id, person_id, membership_id)
        for email, person_id, membership_id, workspace_id, wallet_id in db.session.execute(found)
    }


def calls_among(call_ids: Iterable[str]) -> set[str]:
    """Which of these are calls that were metered here."""
    possible = sorted({found for found in map(call_id_of, call_ids) if found is not None})
    return set(db.session.scalars(select(MeteredCall.id).where(MeteredCall.id.in_(possible)))) if possible else set()


def call_id_of(text: str) -> str | None:
    """A call id as we write it; None for anything else, which any client may send."""
    try:
        return str(uuid.UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None


def due_batches(at: datetime, limit: int) -> list[str]:
    """Deliveries that wait, the longest waiting first."""
    wanted = select(SpendBatch.id).where(SpendBatch.state == NEW, SpendBatch.next_attempt_at <= at)
    return list(db.session.scalars(wanted.order_by(SpendBatch.next_attempt_at).limit(limit)))


@dataclass(frozen=True, slots=True)
class KindSum:
    """How many requests of a kind there were, and what the proxy says they cost."""

    kind: str
    requests: int
    cost_nano: int


def sums(since: datetime) -> list[KindSum]:
    """By kind, for administrators."""
    counted = select(SpendLine.kind, func.count(), func.coalesce(func.sum(SpendLine.cost_nano), 0))
    wanted = counted.where(SpendLine.started_at >= since).group_by(SpendLine.kind).order_by(SpendLine.kind)
    return [KindSum(kind, requests, int(nano)) for kind, requests, nano in db.session.execute(wanted)]
