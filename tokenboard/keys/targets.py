"""Marking what LiteLLM must be told: the outbox's write side.

Laws: marking happens in the transaction of the cause and moves the version forward, so that a target that is being sent
at that very moment is sent once more; it computes nothing and asks nobody. Where no proxy is configured nothing is
marked: the first reconcile after one is marks everything.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.jobs import ring
from tokenboard.core.upsert import insert
from tokenboard.keys import queries
from tokenboard.keys.models import MirrorTarget
from tokenboard.ledger.signals import balance_changed
from tokenboard.workspaces.models import Workspace

PUSH = "keys.push_target"


def connect() -> None:
    """Hear every change of a balance. Connecting twice is connecting once."""
    balance_changed.connect(balance_moved)


def balance_moved(wallet_id: str) -> None:
    """A workspace's budget at the proxy follows its wallet, if the proxy knows the workspace at all."""
    known = (
        select(MirrorTarget.subject)
        .join(Workspace, Workspace.id == MirrorTarget.workspace_id)
        .where(Workspace.ledger_account_id == wallet_id, MirrorTarget.kind == "user")
    )
    workspace_id = db.session.scalar(known)
    if workspace_id is not None:
        mark("user", workspace_id, workspace_id)


def mark(kind: str, subject: str, workspace_id: str | None = None) -> None:
    """Note that the proxy must be told anew about a subject, and ring once this is committed."""
    at = now()
    fresh = {"id": new_id(), "kind": kind, "subject": subject, "workspace_id": workspace_id, "version": 1}
    rest = {"sent_version": 0, "attempts": 0, "last_error": "", "drift_note": "", "booked_nano": 0}
    statement = insert(MirrorTarget).values(**fresh, **rest, state="due", next_attempt_at=at)
    again = {"version": MirrorTarget.version + 1, "state": "due", "attempts": 0, "next_attempt_at": at}
    statement = statement.on_conflict_do_update(index_elements=["kind", "subject"], set_=again)
    target_id = db.session.scalar(statement.returning(MirrorTarget.id))
    assert target_id is not None, "inserted or updated"
    ring(PUSH, str(target_id))


def mark_keys(secret_ids: Iterable[str], workspace_id: str) -> None:
    """Mark several secrets of one workspace, in one order, so that two causes never wait in a circle."""
    for secret_id in sorted(secret_ids):
        mark("key", secret_id, workspace_id)


def mark_key(key_id: str, workspace_id: str) -> None:
    """Mark every secret of a key that is not gone."""
    mark_keys([one.id for one in queries.secrets_of(key_id) if one.revoked_at is None], workspace_id)


def mark_workspace(workspace_id: str) -> None:
    """Mark a workspace and all its secrets: its wallet is empty, or has credits again."""
    mark("user", workspace_id, workspace_id)
    mark_keys(queries.valid_secrets(workspace_id=workspace_id, at=now()), workspace_id)


def mark_person(email: str) -> None:
    """Mark a person's monthly cap."""
    mark("customer", email)
