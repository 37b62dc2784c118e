"""Connecting a provider: try the key, seal it, replace it, remove it, and ask for its bill to be read.

Laws: a key is tried before it is stored and outside any transaction; it is sealed for its own row (workspace, provider,
id) and never leaves again but for its last four characters; a workspace has one live connection a provider, so
connecting again replaces the key and keeps the history; what is queued is a row of the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.exc import IntegrityError

from tokenboard.audit.alerts import resolve_alert
from tokenboard.audit.service import record
from tokenboard.core.clock import now, today
from tokenboard.core.crypto import KeyRing, fingerprint
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import Conflict, ValidationFailed
from tokenboard.costs import connection_queries as connections, sync_import, sync_rules, sync_runs
from tokenboard.costs.models import Connection, SyncRun, TypedBalance
from tokenboard.costs.sync_personal import BalanceReader
from tokenboard.costs.sync_rules import Plan, Reason
from tokenboard.providers.costs import CostProvider
from tokenboard.workspaces.models import Workspace

Mode = Literal["organization", "personal"]
NO_PERSONAL_MODE = "Only OpenAI has a personal mode. Connect the organization with an admin key."


@dataclass(frozen=True, slots=True)
class Connected:
    """What connecting did."""

    connection: Connection
    did: Literal["connected", "replaced", "unchanged"]


@dataclass(frozen=True, slots=True)
class Vault:
    """How keys are sealed and recognised."""

    keys: KeyRing
    fingerprint_key: str


def try_key(reader: CostProvider, *, mode: str) -> None:
    """Ask the provider for the least that connecting needs. Called with no transaction open.

    Raises: ProviderError, ValidationFailed for a mode the provider does not have.
    """
    if mode == "organization":
        reader.check_key()
    elif isinstance(reader, BalanceReader):
        reader.check_balance()
    else:
        raise ValidationFailed({"mode": [NO_PERSONAL_MODE]})


def connect(*, workspace_id: str, provider: str, mode: str, api_key: str, actor_id: str, vault: Vault) -> Connected:
    """Store a key that was tried, for the workspace's one connection at this provider, and queue the backfill.

    Raises: Conflict in a demo. Idempotent: the same key again changes nothing.
    """
    _refuse_demo(workspace_id)
    found = connections.live(workspace_id, provider, locked=True)
    if found is None:
        added = _added(workspace_id, provider, mode, api_key, actor_id, vault)
        if added is not None:
            return Connected(added, "connected")
        found = connections.live(workspace_id, provider, locked=True)
    if found is None:
        raise Conflict("This connection was removed a moment ago in another window. Try again.")
    return _replaced(found, mode, api_key, actor_id, vault)


def _added(workspace_id: str, provider: str, mode: str, api_key: str, actor_id: str, vault: Vault) -> Connection | None:
    """A new connection, or None when another tab was first."""
    connection = Connection(id=new_id(), workspace_id=workspace_id, provider=provider, created_by_id=actor_id)
    _put_key(connection, mode, api_key, vault)
    try:
        with db.session.begin_nested():
            db.session.add(connection)
    except IntegrityError:
        return None
    _queue_first(connection)
    _record("costs.connected", connection, actor_id)
    return connection


def replace(*, connection: Connection, mode: str, api_key: str, actor_id: str, vault: Vault) -> Connected:
    """Give a live connection another key or mode. Raises: Conflict when it was removed, or in a demo."""
    _refuse_demo(connection.workspace_id)
    found = connections.live(connection.workspace_id, connection.provider, locked=True)
    if found is None or found.id != connection.id:
        raise Conflict("This connection is removed. Connect again instead.")
    return _replaced(found, mode, api_key, actor_id, vault)


def _replaced(found: Connection, mode: str, api_key: str, actor_id: str, vault: Vault) -> Connected:
    is_same = found.key_fingerprint == fingerprint(api_key, key=vault.fingerprint_key)
    if is_same and found.mode == mode and found.status == "active":
        return Connected(found, "unchanged")
    _put_key(found, mode, api_key, vault)
    sync_runs.cancel(found.id, code="key_replaced", message="The key was replaced; the run after this one reads anew.")
    _queue_first(found)
    _record("costs.key_replaced", found, actor_id)
    return Connected(found, "replaced")


def _put_key(connection: Connection, mode: str, api_key: str, vault: Vault) -> None:
    connection.mode = mode
    connection.sealed_key = vault.keys.seal(api_key, context=seal_context(connection))
    connection.key_fingerprint = fingerprint(api_key, key=vault.fingerprint_key)
    connection.last4 = api_key[-4:]
    connection.status = "active"
    connection.last_error = connection.last_error_code = ""
    connection.last_full_sync_at = None
    connection.next_sync_at = sync_rules.next_slot(now())


def _refuse_demo(workspace_id: str) -> None:
    """The demo is written anew every night: a real key would go with it."""
    if db.session.get_one(Workspace, workspace_id).is_demo:
        raise Conflict("The demo's numbers are made up, and it keeps no key. Connect in a workspace of your own.")


def _queue_first(connection: Connection) -> None:
    for kind in (sync_import.SYNC_FAILED, sync_import.KEY_REJECTED):
        resolve_alert(kind, subject=connection.id)
    plan = sync_rules.backfill(today())
    sync_runs.queue(connection, _for_mode(connection, plan), at_once=True)


def _for_mode(connection: Connection, plan: Plan) -> Plan:
    return plan if connection.mode == "organization" else sync_rules.balance(today(), plan.reason)


def seal_context(connection: Connection) -> str:
    """The row a key is sealed for; in another row it does not open."""
    return f"connection:{connection.workspace_id}:{connection.provider}:{connection.id}"


def open_key(connection: Connection, keys: KeyRing) -> str:
    """The key in clear, for a provider's client. Raises: CannotUnseal."""
    return keys.unseal(connection.sealed_key, context=seal_context(connection))


def remove(*, connection: Connection, keeps_history: bool, actor_id: str) -> None:
    """Forget the key, and with it the history or not. Idempotent."""
    sync_runs.cancel(connection.id, code="removed", message="The connection was removed.")
    for kind in (sync_import.SYNC_FAILED, sync_import.KEY_REJECTED):
        resolve_alert(kind, subject=connection.id)
    _record("costs.removed", connection, actor_id, history="kept" if keeps_history else "deleted")
    if not keeps_history:
        db.session.delete(connection)  # days, rows, totals and runs go with it (ON DELETE CASCADE)
        db.session.flush()
        return
    connection.sealed_key = connection.key_fingerprint = ""
    connection.status = "removed"
    connection.removed_at = connection.removed_at or now()
    connection.next_sync_at = None
    db.session.flush()


def note_test(*, connection: Connection, actor_id: str) -> None:
    """The key was tried again and works: a rejected connection lives again."""
    if connection.status == "rejected":
        connection.status = "active"
        connection.last_error = connection.last_error_code = ""
        connection.next_sync_at = sync_rules.next_slot(now())
        resolve_alert(sync_import.KEY_REJECTED, subject=connection.id)
        plan = sync_rules.due(now(), connection.last_full_sync_at)
        sync_runs.queue(connection, _for_mode(connection, plan), at_once=True)
    _record("costs.tested", connection, actor_id)


def note_refusal(*, connection: Connection, message: str) -> None:
    """The key was tried again and the provider refused it: nothing is read with it until it is replaced."""
    if connection.status == "active":
        connection.status, connection.next_sync_at = "rejected", None
        connection.last_error, connection.last_error_code = message, "key_refused"
        db.session.flush()


def request_sync(*, connection: Connection, actor_id: str) -> SyncRun:
    """A person wants fresh numbers now. Answers the run that brings them. Raises: Conflict without a working key.

    Idempotent: while one waits or runs, asking again answers the same run.
    """
    _refuse_demo(connection.workspace_id)
    if connection.status != "active":
        raise Conflict("This connection has no working key. Replace the key first.", code="key_rejected")
    plan = sync_rules.due(now(), connection.last_full_sync_at, Reason.MANUAL)
    queued = sync_runs.queue(connection, _for_mode(connection, plan), at_once=True)
    _record("costs.sync_requested", connection, actor_id, run=queued.run.id)
    return queued.run


def queue_due() -> int:
    """Queue a run for every connection whose hour has come; answers how many are new. Two callers share the work."""
    instant = now()
    found = connections.due(instant)
    for connection in found:
        connection.next_sync_at = sync_rules.next_slot(instant)
    return sum(_queue(connection, sync_rules.due(instant, connection.last_full_sync_at)) for connection in found)


def queue_all(reason: Reason, *, workspace_id: str | None = None) -> list[Connection]:
    """Queue a run for every connection, due or not; answers those that got a new one."""
    return [one for one in connections.all_automatic(workspace_id) if _queue(one, plan_for(one, reason))]


def plan_for(connection: Connection, reason: Reason) -> Plan:
    """What a run of this connection would read now."""
    if reason is Reason.DAILY and connection.last_full_sync_at is not None:
        return _for_mode(connection, sync_rules.months(today()))
    return _for_mode(connection, sync_rules.due(now(), connection.last_full_sync_at, reason))


def _queue(connection: Connection, plan: Plan) -> bool:
    return sync_runs.queue(connection, _for_mode(connection, plan)).is_new


def reseal_connections(keys: KeyRing) -> int:
    """Seal every key with the ring's first key, where it is not yet; answers how many. Raises: CannotUnseal.

    Idempotent: run it again after adding a key to ENCRYPTION_KEYS, then take the old one out.
    """
    changed, after_id = 0, ""
    while found := connections.sealed(after_id):
        for connection in found:
            if not keys.is_current(connection.sealed_key):
                connection.sealed_key = keys.seal(open_key(connection, keys), context=seal_context(connection))
                changed += 1
        after_id = found[-1].id
    db.session.flush()
    return changed


def type_balance(*, workspace_id: str, amount_nano: int, as_of_on: object, actor_id: str) -> TypedBalance:
    """Keep a prepaid balance that somebody read off OpenAI's page. Units: nano-USD."""
    typed = TypedBalance(
        workspace_id=workspace_id,
        provider="openai",
        amount_nano=amount_nano,
        as_of_on=as_of_on,
        entered_by_id=actor_id,
    )
    db.session.add(typed)
    db.session.flush()
    record("costs.balance_typed", actor=actor_id, subject=typed.id, workspace_id=workspace_id)
    return typed


def _record(act: str, connection: Connection, actor_id: str, **facts: object) -> None:
    told = {"provider": connection.provider, "mode": connection.mode, "last4": connection.last4}
    record(act, actor=actor_id, subject=connection.id, workspace_id=connection.workspace_id, facts=told | facts)
