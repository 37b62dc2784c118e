"""Where a workspace's alerts go: e-mail addresses and signed webhooks.

Laws: a webhook's signing secret is kept sealed and shown once; only addresses that may be sent to are kept.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select

from tokenboard.audit.service import record
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import Conflict, NotFound, ValidationFailed
from tokenboard.core.parsing import parse_email
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert
from tokenboard.notices import service as notices
from tokenboard.notices.addresses import AddressRefused, destination
from tokenboard.notices.signatures import new_secret
from tokenboard.workspaces.models import AlertChannel

MOST_CHANNELS = 20  # of one workspace
TEST_KIND = "channel.test"
_TEST_TEXT = "This is a test from TokenBoard. Alerts of your budgets will arrive here.\n"


def channels(workspace_id: str) -> list[AlertChannel]:
    """The workspace's channels, oldest first."""
    asked = select(AlertChannel).where(AlertChannel.workspace_id == workspace_id)
    return list(db.session.scalars(asked.order_by(AlertChannel.created_at, AlertChannel.id).limit(MOST_CHANNELS)))


def channel(workspace_id: str, channel_id: str) -> AlertChannel:
    """One of the workspace's channels. Raises: NotFound, for another workspace's too."""
    found = db.session.get(AlertChannel, channel_id)
    if found is None or found.workspace_id != workspace_id:
        raise NotFound
    return found


def add_email(*, workspace_id: str, address: str, actor: str) -> AlertChannel:
    """Raises: ValidationFailed, Conflict (there already, or too many)."""
    try:
        read = parse_email(address)
    except ValueError as error:
        raise ValidationFailed({"address": [str(error)]}) from error
    return _add(AlertChannel(id=new_id(), workspace_id=workspace_id, kind="email", address=read), actor)


def add_webhook(*, workspace_id: str, address: str, actor: str) -> tuple[AlertChannel, str]:
    """The channel and its signing secret, which is shown to its owner now and never again.

    Looks the host up, which may take seconds: call it with no transaction open.
    Raises: ValidationFailed, Conflict (there already, or too many).
    """
    try:
        destination(address.strip(), is_production=settings().is_production, hosts=settings().webhook_hosts)
    except AddressRefused as error:
        raise ValidationFailed({"address": [str(error)]}) from error
    secret = new_secret()
    fresh = AlertChannel(id=new_id(), workspace_id=workspace_id, kind="webhook", address=address.strip())
    fresh.sealed_secret = settings().encryption_keys.seal(secret, context=_context(fresh))
    return _add(fresh, actor), secret


def _add(fresh: AlertChannel, actor: str) -> AlertChannel:
    in_workspace = AlertChannel.workspace_id == fresh.workspace_id
    # Two tabs may pass this check at once; the worst case is one channel more.
    if (db.session.scalar(select(func.count()).where(in_workspace)) or 0) >= MOST_CHANNELS:
        raise Conflict(f"A workspace has at most {MOST_CHANNELS} channels.", code="too_many_channels")
    values = {"id": fresh.id, "workspace_id": fresh.workspace_id, "kind": fresh.kind, "address": fresh.address}
    statement = insert(AlertChannel).values(**values, sealed_secret=fresh.sealed_secret or "")
    written = statement.on_conflict_do_nothing().returning(AlertChannel.id)
    if db.session.scalar(written) is None:
        raise Conflict("Alerts already go to this address.", code="channel_exists")
    facts = {"kind": fresh.kind, "address": fresh.public_address}
    record("workspaces.channel_added", actor=actor, subject=fresh.id, workspace_id=fresh.workspace_id, facts=facts)
    return channel(fresh.workspace_id, fresh.id)


def remove(*, workspace_id: str, channel_id: str, actor: str) -> None:
    """Alerts no longer go there. Idempotent."""
    is_it = (AlertChannel.id == channel_id, AlertChannel.workspace_id == workspace_id)
    gone = db.session.scalar(delete(AlertChannel).where(*is_it).returning(AlertChannel.kind))
    if gone is not None:
        facts = {"kind": gone}
        record("workspaces.channel_removed", actor=actor, subject=channel_id, workspace_id=workspace_id, facts=facts)


def send_test(found: AlertChannel, *, form_key: str) -> None:
    """Send a harmless message. Idempotent: a form sent twice sends one."""
    key = f"{TEST_KIND}:{found.id}:{form_key}"
    if found.kind == "email":
        notices.send_email(
            kind=TEST_KIND,
            address=found.address,
            subject="A test from TokenBoard",
            text=_TEST_TEXT,
            idempotency_key=key,
            workspace_id=found.workspace_id,
        )
        return
    notices.send_webhook(
        kind=TEST_KIND,
        address=found.address,
        payload={"workspaceId": found.workspace_id, "text": _TEST_TEXT.strip()},
        secret=signing_secret(found),
        idempotency_key=key,
        workspace_id=found.workspace_id,
    )


def signing_secret(found: AlertChannel) -> str:
    """A webhook's secret. Raises: CannotUnseal."""
    return settings().encryption_keys.unseal(found.sealed_secret, context=_context(found))


def reseal(key_ring: KeyRing) -> int:
    """Seal every secret with the key that writes now. Returns how many changed. Raises: CannotUnseal."""
    changed = 0
    for found in db.session.scalars(select(AlertChannel).where(AlertChannel.sealed_secret != "")):
        if not key_ring.is_current(found.sealed_secret):
            secret = key_ring.unseal(found.sealed_secret, context=_context(found))
            found.sealed_secret = key_ring.seal(secret, context=_context(found))
            changed += 1
    return changed


def _context(found: AlertChannel) -> str:
    return f"channel:{found.id}"
