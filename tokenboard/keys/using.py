"""Using a key at our own door: who holds it, whether it may be used now, and that it was.

Laws: one look-up by hash, never a comparison of secrets; an unknown, revoked or expired secret gets one and the same
answer; when it was used is noted at most once a minute, so that a busy key does not write with every request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, update

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import queries, rules
from tokenboard.keys.address_rules import Address, allows_address
from tokenboard.keys.errors import AddressRefused, KeyNotUsable, KeyPaused
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import KeyState
from tokenboard.workspaces.made_up import require_real

_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KeyAccess:
    """A key that may be used at this moment."""

    key: VirtualKey
    wallet_id: str
    # Its holder's; empty for a workspace's own.
    email: str
    # When an overlap ends, the old secret of a replaced key says so.
    secret_id: str


def open_key(secret: str) -> KeyAccess:
    """The key behind a secret. Raises: KeyNotUsable, KeyPaused, MadeUp."""
    if not secret.startswith(rules.PREFIX) or len(secret) > rules.LONGEST_SECRET:
        raise KeyNotUsable
    found, at = queries.by_hash(rules.secret_hash(secret)), now()
    if found is None or found.is_over:
        raise KeyNotUsable
    row, key = found.secret, found.key
    if not rules.is_secret_valid(valid_until=row.valid_until, revoked_at=row.revoked_at, at=at):
        raise KeyNotUsable
    if key.state == KeyState.PAUSED:
        raise KeyPaused(key.pause_reason)
    if not rules.is_usable(state=key.state, expires_at=key.expires_at, at=at):
        raise KeyNotUsable
    require_real(is_demo=found.is_demo)
    return KeyAccess(key, found.wallet_id, found.email, row.id)


def require_address(key: VirtualKey, sender: Address | None) -> None:
    """Raises: AddressRefused, for a key with a list of addresses that `sender` is not on."""
    if not allows_address(key.allowed_ips, sender):
        raise AddressRefused(str(sender or ""))


def note_use(key: VirtualKey, *, network: str) -> None:
    """Note when and from where a key was used, unless it has just been noted. Does not commit."""
    at, key_id = now(), key.id
    if key.last_used_at is not None and key.last_used_at >= at - _NOTED_EVERY:
        return
    is_old = or_(VirtualKey.last_used_at.is_(None), VirtualKey.last_used_at < at - _NOTED_EVERY)
    noted = update(VirtualKey).where(VirtualKey.id == key_id, is_old).values(last_used_at=at, last_used_from=network)
    db.session.execute(noted.execution_options(synchronize_session=False))
