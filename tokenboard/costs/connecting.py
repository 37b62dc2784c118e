"""What the JSON and HTML doors of connections share: try a key with nothing open, and say a refusal in our own errors.

Law: a provider may think for ten seconds; no transaction is open while it does, so nobody waits behind it.
"""

from __future__ import annotations

from flask import request

from tokenboard.accounts.models import Person
from tokenboard.core.crypto import CannotUnseal, same_secret
from tokenboard.core.db import db
from tokenboard.core.errors import (
    Conflict,
    NotConfigured,
    NotFound,
    TokenBoardError,
    Unauthenticated,
    UpstreamFailed,
    UpstreamTimedOut,
    ValidationFailed,
)
from tokenboard.core.settings import settings
from tokenboard.costs import connection_queries, service
from tokenboard.costs.models import Connection
from tokenboard.costs.service import Vault
from tokenboard.costs.sync_failures import CANNOT_OPEN
from tokenboard.providers.errors import KeyProblem, NotAvailable, ProviderError, ProviderTimeout
from tokenboard.web.clients import clients
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

# The sandbox's own keys, offered on the page while a provider is the sandbox.
SANDBOX_KEYS = {
    ("openai", "organization"): "sk-admin-sandbox",
    ("openai", "personal"): "sk-sandbox",
    ("anthropic", "organization"): "sk-ant-admin-sandbox",
}


def vault() -> Vault:
    """How this application seals keys."""
    return Vault(settings().encryption_keys, settings().secret_key)


def load_connection(connection_id: str, person: Person, *, at_least: Role) -> Connection:
    """A connection of one of this person's workspaces. Raises: NotFound, Forbidden."""
    connection = connection_queries.find(connection_id)
    if connection is None:
        raise NotFound
    access.load(connection.workspace_id, person, at_least=at_least)
    return connection


def key_of(connection: Connection) -> str:
    """The stored key, to try it again. Raises: Conflict when there is none that opens."""
    if connection.status == "removed":
        raise Conflict("This connection is removed. Connect again instead.")
    try:
        return service.open_key(connection, settings().encryption_keys)
    except CannotUnseal as error:
        raise Conflict(CANNOT_OPEN, code="cannot_unseal") from error


def try_key(provider: str, mode: str, api_key: str) -> None:
    """Ask the provider. Raises: ValidationFailed when it refuses the key, UpstreamFailed, UpstreamTimedOut."""
    db.session.commit()  # nothing was written; this ends the transaction that read who may
    try:
        service.try_key(clients().costs(provider, api_key), mode=mode)
    except ProviderError as error:
        raise refused(error, mode) from error


def refused(error: ProviderError, mode: str) -> TokenBoardError:
    """A provider's error as ours: the key's fault, or the provider's trouble."""
    if isinstance(error, KeyProblem) or (mode == "personal" and isinstance(error, NotAvailable)):
        said = [f"{error.upstream.name} said: “{error.detail}”"] if error.detail else []
        return ValidationFailed({"apiKey": [error.user_message, *said]}, error.user_message)
    if isinstance(error, ProviderTimeout):
        return UpstreamTimedOut(error.user_message)
    return UpstreamFailed(error.user_message)


def require_cron() -> None:
    """The caller knows CRON_SECRET. Raises: NotConfigured, Unauthenticated."""
    expected = settings().cron_secret
    if not expected:
        raise NotConfigured("This call is off until CRON_SECRET is set.", setting="CRON_SECRET")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not same_secret(given.strip(), expected):
        raise Unauthenticated("Send the cron secret as a bearer token.")
