"""Everything we hold on a person and on the workspaces they own, as one ZIP of JSON files.

Laws: nothing that opens something leaves: sealed keys, hashes and secrets are left out by the names of their columns
(tests/portal/test_data_export.py looks for each); what others wrote is theirs; a list ends at its limit and says so.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import IO, Any

from flask import json
from sqlalchemy import Select, inspect, select

from tokenboard.accounts.models import Person, Preference, SignIn
from tokenboard.accounts.security_models import ApiToken, OidcIdentity, PastEmail
from tokenboard.audit.models import AuditEntry
from tokenboard.billing.models import Payment, Subscription
from tokenboard.billing.promo_models import AutoTopUp
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs.models import Budget, Connection, CostRow
from tokenboard.keys.models import VirtualKey
from tokenboard.ledger import queries as ledger
from tokenboard.metering.models import MeteredCall
from tokenboard.workspaces import access
from tokenboard.workspaces.models import AlertChannel, Membership, Role, Workspace
from tokenboard.workspaces.queries import members

MOST_ROWS = 200_000  # of one list
_AT_ONCE = 1_000
_IN_MEMORY_BYTES = 8 * 1024 * 1024  # more goes to a file on disk, which is gone when it is closed
_KEPT_BACK = re.compile(r"sealed|hash|secret|password|fingerprint|lease_token")
_ABOUT = """What TokenBoard holds on {email}, taken {at}.

person/      your account, how you sign in, what you did, your conversations and metered calls
workspaces/  for each workspace you own: members, connections, costs, budgets, ledger, payments, keys

Amounts: *_micros are millionths of a credit, *_nano billionths of a dollar, *_cents and *_minor the smallest
unit of their currency. Times are UTC. Secrets, keys and passwords are left out. A list ends after {most} rows.
"""


def write(person: Person) -> IO[bytes]:
    """The ZIP, ready to be read from its beginning. The caller closes it."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - handed on to be sent
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        about = _ABOUT.format(email=person.email, at=now().isoformat(timespec="seconds"), most=f"{MOST_ROWS:,}")
        archive.writestr("README.txt", about)
        _write_list(archive, "person/account.json", [plain(person)])
        for name, asked in _of_person(person.id).items():
            _write_list(archive, f"person/{name}.json", _rows(asked))
        for owned in access.all_of(person):
            if owned.role == Role.OWNER:
                _write_workspace(archive, owned.workspace)
    return _ready(file)


def _ready(file: IO[bytes]) -> IO[bytes]:
    """A small ZIP is handed on from memory: there is nothing to close then, whoever gives up on the answer."""
    size = file.tell()
    file.seek(0)
    if size > _IN_MEMORY_BYTES:
        return file
    with file:
        return io.BytesIO(file.read())


def _of_person(person_id: str) -> dict[str, Select[Any]]:
    own = Conversation.person_id == person_id
    return {
        "past_emails": select(PastEmail).where(PastEmail.person_id == person_id),
        "identities": select(OidcIdentity).where(OidcIdentity.person_id == person_id),
        "sessions": select(SignIn).where(SignIn.person_id == person_id).order_by(SignIn.created_at),
        "api_tokens": select(ApiToken).where(ApiToken.person_id == person_id),
        "preferences": select(Preference).where(Preference.person_id == person_id),
        "memberships": select(Membership).where(Membership.person_id == person_id),
        "keys": select(VirtualKey).where(VirtualKey.person_id == person_id),
        "conversations": select(Conversation).where(own).order_by(Conversation.created_at),
        "messages": select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(own)
        .order_by(Message.conversation_id, Message.position),
        "metered_calls": select(MeteredCall).where(MeteredCall.person_id == person_id).order_by(MeteredCall.started_at),
        "audit": select(AuditEntry).where(AuditEntry.actor == person_id).order_by(AuditEntry.created_at),
    }


def _write_workspace(archive: zipfile.ZipFile, workspace: Workspace) -> None:
    folder = f"workspaces/{workspace.id}"
    _write_list(archive, f"{folder}/workspace.json", [plain(workspace)])
    _write_list(archive, f"{folder}/members.json", [asdict(one) for one in members(workspace.id)])
    _write_list(archive, f"{folder}/ledger.json", _ledger(workspace.ledger_account_id))
    for name, asked in _of_workspace(workspace.id).items():
        _write_list(archive, f"{folder}/{name}.json", _rows(asked))


def _of_workspace(workspace_id: str) -> dict[str, Select[Any]]:
    owned: dict[str, Any] = {
        "connections": Connection,
        "budgets": Budget,
        "channels": AlertChannel,
        "payments": Payment,
        "subscriptions": Subscription,
        "auto_top_up": AutoTopUp,
        "keys": VirtualKey,
    }
    asked: dict[str, Select[Any]] = {
        name: select(row).where(row.workspace_id == workspace_id) for name, row in owned.items()
    }
    of_connections = select(CostRow).join(Connection, Connection.id == CostRow.connection_id)
    asked["costs"] = of_connections.where(Connection.workspace_id == workspace_id)
    return asked


def _ledger(wallet_id: str) -> Iterator[dict[str, Any]]:
    before: int | None = None
    written = 0
    while written < MOST_ROWS:
        found = ledger.statement(wallet_id, limit=_AT_ONCE, before=before, with_zeros=True)
        yield from map(asdict, found.lines)
        written, before = written + len(found.lines), found.next_before
        if before is None:
            return


def _rows(asked: Select[Any]) -> Iterator[dict[str, Any]]:
    for row in db.session.scalars(asked.limit(MOST_ROWS).execution_options(yield_per=_AT_ONCE)):
        yield plain(row)


def plain(row: Any) -> dict[str, Any]:
    """A row's columns by name, without those that open something."""
    names = (column.key for column in inspect(type(row)).column_attrs)
    return {name: getattr(row, name) for name in names if not _KEPT_BACK.search(name)}


def _write_list(archive: zipfile.ZipFile, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """One file, row by row: no list is held in memory as a whole."""
    with archive.open(name, "w") as file:
        separator = b"[\n"
        for row in rows:
            file.write(separator + json.dumps(row).encode())
            separator = b",\n"
        file.write(b"\n]\n" if separator == b",\n" else b"[]\n")
