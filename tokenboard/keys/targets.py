"""Marking what LiteLLM must be told: the outbox's write side.

Laws: marking happens in the transaction of the cause and moves the version forward, so that a target that is being sent
at that very moment is sent once more; it computes nothing and asks nobody. Where no proxy is configured nothing is
marked: the first reconcile after one is marks everything. The mark that makes a target due rings, those that follow
find it waiting; whoever has sent a version that is no longer the last one rings again (`mirror_service.keep`). A demo's
targets say nothing (`mirror_facts.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table, bindparam, exists, select, update

from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.jobs import ring
from tokenboard.core.upsert import insert
from tokenboard.keys import queries
from tokenboard.keys.models import MirrorTarget, VirtualKey
from tokenboard.keys.rules import PauseReason
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.signals import watchers
from tokenboard.workspaces.models import Workspace

PUSH = "keys.push_target"
_TARGET, _WORKSPACE, _KEY = MirrorTarget.__table__, Workspace.__table__, VirtualKey.__table__
assert isinstance(_TARGET, Table)
# Built once, and one statement: every call of a workspace with keys says it twice.
_OF_WALLET = select(_WORKSPACE.c.id).where(_WORKSPACE.c.ledger_account_id == bindparam("asked")).scalar_subquery()
_MOVED = (
    update(_TARGET)
    .where(_TARGET.c.kind == "user", _TARGET.c.workspace_id == _OF_WALLET)
    .values(version=_TARGET.c.version + 1, state="due", attempts=0, next_attempt_at=bindparam("at"))
    .returning(
        _TARGET.c.id,
        _TARGET.c.workspace_id,
        _TARGET.c.version == _TARGET.c.sent_version + 1,
        exists().where(_KEY.c.workspace_id == _OF_WALLET, _KEY.c.pause_reason == PauseReason.CREDITS),
    )
)
_KNOWN_WALLETS = """
SELECT 1 FROM workspace JOIN mirror_target ON mirror_target.workspace_id = workspace.id AND mirror_target.kind = 'user'
 WHERE workspace.ledger_account_id = :wallet_id AND NOT workspace.is_demo
"""


def connect() -> None:
    """Hear every change of a balance that the proxy knows. Connecting twice is connecting once."""
    watchers.add(balance_moved, _KNOWN_WALLETS)


def balance_moved(wallet_id: str) -> None:
    """A workspace's budget at the proxy follows its wallet, if the proxy knows the workspace at all.

    Keys that paused because they overdrew it resume once it is covered.
    """
    moved = db.session.execute(_MOVED, {"asked": wallet_id, "at": now()}).all()
    for target_id, workspace_id, was_sent, has_paused in moved:
        if was_sent:
            ring(PUSH, target_id)
        if has_paused:
            _resume_covered(workspace_id, wallet_id)


def _resume_covered(workspace_id: str, wallet_id: str) -> None:
    paused = select(VirtualKey.id).where(
        VirtualKey.workspace_id == workspace_id, VirtualKey.pause_reason == PauseReason.CREDITS
    )
    key_ids = db.session.scalars(paused.order_by(VirtualKey.id)).all()
    if not key_ids or ledger.balance(wallet_id).available_micros <= 0:
        return
    opened = update(VirtualKey).where(VirtualKey.id.in_(key_ids), VirtualKey.pause_reason == PauseReason.CREDITS)
    for key_id in sorted(db.session.scalars(opened.values(state="active", pause_reason="").returning(VirtualKey.id))):
        mark_key(key_id, workspace_id)
        audit.record("keys.resumed", actor="ledger", subject=key_id, workspace_id=workspace_id)


def mark(kind: str, subject: str, workspace_id: str | None = None, *, booked_nano: int = 0) -> None:
    """Note that the proxy must be told anew about a subject, and ring once this is committed.

    `booked_nano` is provider cost that has just been booked from the spend feeds for it.
    """
    at = now()
    fresh = {"id": new_id(), "kind": kind, "subject": subject, "workspace_id": workspace_id, "version": 1}
    rest = {"sent_version": 0, "attempts": 0, "last_error": "", "drift_note": "", "booked_nano": booked_nano}
    statement = insert(MirrorTarget).values(**fresh, **rest, state="due", next_attempt_at=at)
    again = {"version": MirrorTarget.version + 1, "state": "due", "attempts": 0, "next_attempt_at": at}
    if booked_nano:
        again["booked_nano"] = MirrorTarget.booked_nano + booked_nano
    statement = statement.on_conflict_do_update(index_elements=["kind", "subject"], set_=again)
    was_sent = MirrorTarget.version == MirrorTarget.sent_version + 1
    target_id, is_first = db.session.execute(statement.returning(MirrorTarget.id, was_sent)).one()
    if is_first:
        ring(PUSH, str(target_id))


def mark_keys(secret_ids: Iterable[str], workspace_id: str) -> None:
    """Mark several secrets of one workspace, in one order, so that two causes never wait in a circle."""
    for secret_id in sorted(secret_ids):
        mark("key", secret_id, workspace_id)


def mark_key(key_id: str, workspace_id: str) -> None:
    """Mark every secret of a key that is not gone."""
    mark_keys([one.id for one in queries.secrets_of(key_id) if one.revoked_at is None], workspace_id)


def mark_workspace(workspace_id: str) -> int:
    """Mark a workspace and all its secrets; how many. Nothing when it has no keys."""
    secrets = queries.valid_secrets(workspace_id=workspace_id, at=now())
    if not secrets:
        return 0
    mark("user", workspace_id, workspace_id)
    mark_keys(secrets, workspace_id)
    return len(secrets) + 1


def mark_person(email: str) -> None:
    """Mark a person's monthly cap."""
    mark("customer", email)
