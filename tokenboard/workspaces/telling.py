"""Tells a workspace something: every channel of its own, or its owner by e-mail while it has none.

Law: a message's key names its cause and its address, so that nobody is told twice, however often the cause is found.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from tokenboard.accounts.models import Person
from tokenboard.core.crypto import token_hash
from tokenboard.core.db import db
from tokenboard.notices import service as notices
from tokenboard.workspaces import channels
from tokenboard.workspaces.models import Membership, Role


def tell(workspace_id: str, *, kind: str, subject: str, text: str, payload: dict[str, Any], cause: str) -> None:
    """Write one message for each address. Idempotent: the same cause again tells nobody."""
    found = channels.channels(workspace_id)
    for channel in found:
        key = _key(cause, channel.address)
        if channel.kind == "email":
            _send_email(workspace_id, kind, channel.address, subject, text, key)
            continue
        notices.send_webhook(
            kind=kind,
            address=channel.address,
            payload=payload,
            secret=channels.signing_secret(channel),
            idempotency_key=key,
            workspace_id=workspace_id,
        )
    for address in [] if found else _owners(workspace_id):
        _send_email(workspace_id, kind, address, subject, text, _key(cause, address))


def _send_email(workspace_id: str, kind: str, address: str, subject: str, text: str, key: str) -> None:
    notices.send_email(
        kind=kind, address=address, subject=subject, text=text, idempotency_key=key, workspace_id=workspace_id
    )


def _key(cause: str, address: str) -> str:
    return f"{cause}:{token_hash(address)[:32]}"


def _owners(workspace_id: str) -> list[str]:
    owners = (
        select(Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.workspace_id == workspace_id, Membership.role == Role.OWNER, Person.is_disabled.is_(False))
    )
    return list(db.session.scalars(owners))
