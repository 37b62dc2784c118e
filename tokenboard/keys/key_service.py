"""Making and changing virtual keys. What LiteLLM has to know is marked in the same transaction (targets.py).

Laws: a secret leaves this module once, in clear, to whoever made it; a repeated creation finds the first key and shows
no secret; what is revoked stays revoked; on our side every change counts from its commit on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert
from tokenboard.keys import queries, rules, targets
from tokenboard.keys.errors import KeyIsRevoked, KeyPaused, TooManyKeys
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.keys.rules import KeyState, Limits, PauseReason
from tokenboard.ledger.errors import IdempotencyConflict
from tokenboard.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key, and its secret if it was made just now: shown this once."""

    key: VirtualKey
    secret: str | None


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A caller's name for a wish; `mark`: what is wished, so that the name is not used for something else."""

    name: str
    mark: str = ""


def create_key(
    *,
    workspace: Workspace,
    person: Person,
    name: str,
    limits: Limits,
    tags: Sequence[str] = (),
    client_key: ClientKey | None = None,
) -> MadeKey:
    """Make a key. Idempotent: by `client_key`. Raises: TooManyKeys, IdempotencyConflict."""
    if client_key is not None:
        before = queries.by_client_key(workspace.id, client_key.name)
        if before is not None:
            return _made_before(before, client_key)
    # Two tabs may pass this check at once; the worst case is one key more.
    if queries.living(workspace.id) >= rules.MOST_KEYS:
        raise TooManyKeys(rules.MOST_KEYS)
    key_id = _insert(workspace.id, person.id, {"name": name, "tags": list(tags)} | _columns(limits), client_key)
    if key_id is None:  # the same request, at this very moment
        assert client_key is not None, "only a name can be in the way"
        before = queries.by_client_key(workspace.id, client_key.name)
        assert before is not None, "it is in the way"
        return _made_before(before, client_key)
    secret = _new_secret(key_id, number=1, workspace_id=workspace.id)
    targets.mark("user", workspace.id, workspace.id)
    told = {"name": name, "allowed_ips": list(limits.allowed_ips), "tags": list(tags)}
    _record("keys.created", key_id, person.id, workspace.id, {fact: value for fact, value in told.items() if value})
    return MadeKey(db.session.get_one(VirtualKey, key_id), secret)


def _made_before(key: VirtualKey, client_key: ClientKey) -> MadeKey:
    """The first key again, without its secret. Keys of before this was kept have no mark."""
    if key.client_mark and client_key.mark and key.client_mark != client_key.mark:
        raise IdempotencyConflict
    return MadeKey(key, None)


def _insert(
    workspace_id: str, person_id: str, columns: Mapping[str, object], client_key: ClientKey | None
) -> str | None:
    key_id = new_id()
    values = {
        "id": key_id,
        "workspace_id": workspace_id,
        "person_id": person_id,
        "state": KeyState.ACTIVE,
        "pause_reason": "",
        "last_used_from": "",
        "client_key": client_key.name if client_key else key_id,
        "client_mark": client_key.mark if client_key else "",
        "created_at": now(),
    }
    statement = (
        insert(VirtualKey)
        .values(**values, **columns)
        .on_conflict_do_nothing(index_elements=["workspace_id", "client_key"])
    )
    return db.session.scalar(statement.returning(VirtualKey.id))


def _columns(limits: Limits) -> dict[str, object]:
    return {
        "models": list(limits.models),
        "max_budget_micros": limits.max_budget_micros,
        "budget_window": limits.window,
        "rpm_limit": limits.rpm_limit,
        "tpm_limit": limits.tpm_limit,
        "expires_at": limits.expires_at,
        "allowed_ips": list(limits.allowed_ips),
    }


def _new_secret(key_id: str, *, number: int, workspace_id: str) -> str:
    secret, row_id = rules.new_secret(), new_id()
    row = KeySecret(
        id=row_id,
        key_id=key_id,
        number=number,
        hash=rules.secret_hash(secret),
        display=rules.display(secret),
        sealed=settings().encryption_keys.seal(secret, context=sealing_context(row_id)),
    )
    db.session.add(row)
    db.session.flush()
    targets.mark("key", row_id, workspace_id)
    return secret


def sealing_context(secret_id: str) -> str:
    """Where a sealed secret belongs: it opens in its own row only."""
    return f"key-secret:{secret_id}"


def change_key(*, key: VirtualKey, actor: str, changes: Mapping[str, object]) -> VirtualKey:
    """Change name or limits: only the columns that are named. Raises: KeyIsRevoked."""
    row = _living(key)
    before = {name: getattr(row, name) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    db.session.flush()
    targets.mark_key(row.id, row.workspace_id)
    facts = {name: [_plain(before[name]), _plain(changes[name])] for name in changes if before[name] != changes[name]}
    _record("keys.changed", row.id, actor, row.workspace_id, facts)
    return row


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def pause(*, key: VirtualKey, actor: str, reason: PauseReason = PauseReason.PERSON) -> VirtualKey:
    """Refuse the key until it is resumed. Idempotent. Raises: KeyIsRevoked."""
    row = _living(key)
    if row.state == KeyState.ACTIVE:
        row.state, row.pause_reason = KeyState.PAUSED, reason
        targets.mark_key(row.id, row.workspace_id)
        _record("keys.paused", row.id, actor, row.workspace_id, {"reason": reason.value})
    return row


def pause_for_credits(*, key: VirtualKey, actor: str) -> None:
    """Its use took the wallet below zero: refused until the wallet is covered. Nothing for a key that is revoked."""
    if queries.locked(key.id).state == KeyState.ACTIVE:
        pause(key=key, actor=actor, reason=PauseReason.CREDITS)


def resume(*, key: VirtualKey, actor: str) -> VirtualKey:
    """Let the key be used again. Idempotent. Raises: KeyIsRevoked, KeyPaused (its holder is kept out)."""
    row = _living(key)
    holder = db.session.get(Person, row.person_id) if row.person_id else None
    if row.pause_reason == PauseReason.ADMIN or (holder is not None and holder.is_disabled):
        raise KeyPaused(PauseReason.ADMIN)
    if row.state == KeyState.PAUSED:
        row.state, row.pause_reason = KeyState.ACTIVE, ""
        targets.mark_key(row.id, row.workspace_id)
        _record("keys.resumed", row.id, actor, row.workspace_id, {})
    return row


def rotate(*, key: VirtualKey, actor: str, overlap: timedelta) -> str:
    """A new secret, valid at once; the old ones end after the overlap. Raises: KeyIsRevoked, ValidationFailed."""
    if not timedelta(0) <= overlap <= rules.LONGEST_OVERLAP:
        raise ValidationFailed({"overlap": [f"At most {rules.LONGEST_OVERLAP.days} days."]})
    row, at = _living(key), now()
    secrets = queries.secrets_of(row.id)
    for old in secrets:
        is_valid = rules.is_secret_valid(valid_until=old.valid_until, revoked_at=old.revoked_at, at=at)
        if is_valid:
            # Rotating again never lengthens what an earlier rotation has cut short.
            old.valid_until = min(filter(None, (old.valid_until, at + overlap)))
    db.session.flush()
    targets.mark_keys([one.id for one in secrets if one.revoked_at is None], row.workspace_id)
    secret = _new_secret(row.id, number=secrets[-1].number + 1, workspace_id=row.workspace_id)
    _record("keys.rotated", row.id, actor, row.workspace_id, {"overlap_minutes": int(overlap.total_seconds() // 60)})
    return secret


def revoke(*, key: VirtualKey, actor: str) -> VirtualKey:
    """End the key for good. Idempotent."""
    row, at = queries.locked(key.id), now()
    if row.state == KeyState.REVOKED:
        return row
    row.state, row.pause_reason, row.revoked_at = KeyState.REVOKED, "", at
    db.session.flush()
    secrets = [one.id for one in queries.secrets_of(row.id) if one.revoked_at is None]
    gone = update(KeySecret).where(KeySecret.key_id == row.id, KeySecret.revoked_at.is_(None))
    db.session.execute(gone.values(revoked_at=at, sealed=""))
    targets.mark_keys(secrets, row.workspace_id)
    _record("keys.revoked", row.id, actor, row.workspace_id, {})
    return row


def revoke_all(*, workspace_id: str, actor: str) -> None:
    """End every key of a workspace for good: it is closed. Idempotent."""
    living = select(VirtualKey).where(VirtualKey.workspace_id == workspace_id, VirtualKey.state != KeyState.REVOKED)
    for key in list(db.session.scalars(living.order_by(VirtualKey.id))):
        revoke(key=key, actor=actor)


def end_overlaps(*, at: datetime) -> int:
    """Close the secrets whose overlap is over; how many there were. Idempotent."""
    is_over = (KeySecret.revoked_at.is_(None), KeySecret.valid_until <= at)
    closed = update(KeySecret).where(*is_over).values(revoked_at=at, sealed="")
    rows = db.session.execute(closed.returning(KeySecret.id, KeySecret.key_id)).all()
    for secret_id, key_id in sorted(rows):
        targets.mark("key", secret_id, db.session.get_one(VirtualKey, key_id).workspace_id)
    return len(rows)


def reseal(key_ring: KeyRing) -> int:
    """Seal what waits for LiteLLM with the key that writes now. Returns how many changed. Raises: CannotUnseal."""
    changed = 0
    for row in db.session.scalars(select(KeySecret).where(KeySecret.sealed != "")):
        if not key_ring.is_current(row.sealed):
            secret = key_ring.unseal(row.sealed, context=sealing_context(row.id))
            row.sealed = key_ring.seal(secret, context=sealing_context(row.id))
            changed += 1
    return changed


def _living(key: VirtualKey) -> VirtualKey:
    row = queries.locked(key.id)
    if row.state == KeyState.REVOKED:
        raise KeyIsRevoked
    return row


def _record(action: str, key_id: str, actor: str, workspace_id: str, facts: Mapping[str, object]) -> None:
    audit.record(action, actor=actor, subject=key_id, workspace_id=workspace_id, facts=dict(facts))
