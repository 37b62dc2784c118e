"""What the wallet's pages and calls ask: balance, statement, receipt, pace, the low-balance line, adjustments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from tokenboard.accounts.models import Person
from tokenboard.core.clock import days_between, midnight, today
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound, ValidationFailed
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.ledger import glance_queries, queries as ledger
from tokenboard.ledger.errors import TransactionNotFound
from tokenboard.ledger.kinds import Kind
from tokenboard.ledger.queries import GrantLine, Page, Receipt, WalletBalance
from tokenboard.wallet import rules
from tokenboard.wallet.models import Adjustment, AdjustmentState, LowBalance
from tokenboard.wallet.rules import Pace
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Membership, Role, Workspace

ADJUSTMENT_SOURCE = "adjustment:"
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Outlook:
    """How long a wallet lasts, and what it loses next."""

    pace: Pace | None
    days: int | None
    # What was used on each of the last days, today last; never below nought.
    daily: tuple[int, ...]
    next_expiry: GrantLine | None


def balance(workspace: Workspace) -> WalletBalance:
    """What the workspace has."""
    return ledger.balance(workspace.ledger_account_id)


def statement(workspace: Workspace, *, kind: str | None, cursor: str | None, limit: int) -> Page:
    """The wallet's transactions, newest first, each with the balance after it. Raises: ValidationFailed."""
    return ledger.statement(
        workspace.ledger_account_id,
        limit=limit,
        before=_version(cursor) if cursor else None,
        kinds=_kinds(kind) if kind else (),
    )


def _version(cursor: str) -> int:
    """A cursor is the last line's place in the wallet's chain. Raises: ValidationFailed."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise ValidationFailed({"cursor": ["Take the cursor from `nextCursor` of the page before."]})
    return int(cursor)


def _kinds(kind: str) -> list[Kind]:
    """Raises: ValidationFailed."""
    if kind not in rules.KIND_WORDS:
        raise ValidationFailed({"kind": [f"One of {', '.join(rules.KIND_WORDS)}."]})
    return [Kind(kind)]


def receipt(person: Person, transaction_id: str) -> tuple[WorkspaceAccess, Receipt]:
    """A transaction in any of the person's workspaces, and which it is.

    Raises: TransactionNotFound, for a stranger's in the same words as for one that never was.
    """
    found = ledger.receipt(transaction_id)
    mine = {one.workspace.ledger_account_id: one for one in access.all_of(person)}
    if found.wallet_id not in mine:
        raise TransactionNotFound
    return mine[found.wallet_id], found


def outlook(balance: WalletBalance, grants: list[GrantLine]) -> Outlook:
    """Asked with what the page has read already."""
    last = today()
    first = last - timedelta(days=rules.PACE_DAYS - 1)
    found = glance_queries.use_by_day(balance.wallet_id, since=midnight(first), but_source=ADJUSTMENT_SOURCE)
    used = {one.day: one.micros for one in found}
    pace = rules.pace(used, last)
    daily = tuple(max(0, used.get(one, 0)) for one in days_between(first, last))
    expiring = next((one for one in grants if one.expires_at is not None and one.available_micros > 0), None)
    return Outlook(pace, rules.runway_days(balance.available_micros, pace), daily, expiring)


def low_balance(workspace: Workspace) -> LowBalance | None:
    """The line the workspace has drawn."""
    return db.session.get(LowBalance, workspace.ledger_account_id)


# Administrators look at every workspace


@dataclass(frozen=True, slots=True)
class Target:
    """A workspace that credits may be given to."""

    workspace: Workspace
    owner_email: str


def targets(who: str) -> list[Target]:
    """The workspaces an administrator means: a workspace's id, or an owner's id or e-mail; their own one first."""
    wanted = who.strip()
    known_id = or_none(parse_id, wanted)
    chosen = (Workspace.id == known_id) | (Person.id == known_id) if known_id else Person.email == wanted.casefold()
    found = (
        select(Workspace, Person.email)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.role == Role.OWNER, Workspace.archived_at.is_(None), chosen)
        .order_by(Workspace.is_personal.desc(), Workspace.name, Workspace.id)
        .limit(MOST_SHOWN)
    )
    return [Target(workspace, email) for workspace, email in db.session.execute(found)]


def target(*, workspace_id: str | None = None, person_id: str | None = None, email: str | None = None) -> Workspace:
    """The workspace a grant goes to: the one named, or the person's own. Raises: NotFound."""
    found = targets(workspace_id or person_id or email or "")
    if workspace_id:
        found = [one for one in found if one.workspace.id == workspace_id.lower()]
    else:
        found = [one for one in found if one.workspace.is_personal]
    if not found:
        raise NotFound
    return found[0].workspace


@dataclass(frozen=True, slots=True)
class AdjustmentLine:
    """An adjustment with the name of its workspace."""

    adjustment: Adjustment
    workspace_name: str


def adjustments(*, is_open: bool) -> list[AdjustmentLine]:
    """Proposals that wait (oldest first), or what was decided (newest first)."""
    state = Adjustment.state == AdjustmentState.PROPOSED
    order = (Adjustment.created_at, Adjustment.id) if is_open else (Adjustment.created_at.desc(), Adjustment.id.desc())
    found = (
        select(Adjustment, Workspace.name)
        .join(Workspace, Workspace.id == Adjustment.workspace_id)
        .where(state if is_open else ~state)
        .order_by(*order)
        .limit(MOST_SHOWN)
    )
    return [AdjustmentLine(adjustment, name) for adjustment, name in db.session.execute(found)]
