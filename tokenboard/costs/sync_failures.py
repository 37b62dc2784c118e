"""How a run ends that did not go well: tried again later, failed, or stopped until the key changes.

Laws: what was written before stays; the connection says why it is stale; a refused key is not asked with again; the
operator hears of runs that gave up. Sentences come from the provider's errors and hold no key.
"""

from __future__ import annotations

from sqlalchemy import update

from tokenboard.audit.alerts import raise_alert
from tokenboard.core.crypto import CannotUnseal
from tokenboard.core.db import db
from tokenboard.costs import sync_rules, sync_runs
from tokenboard.costs.models import Connection
from tokenboard.costs.sync_errors import UnusableBill
from tokenboard.costs.sync_import import KEY_REJECTED, SYNC_FAILED
from tokenboard.costs.sync_rules import ATTEMPTS_MAX, State
from tokenboard.costs.sync_runs import Lease
from tokenboard.providers.errors import BadAnswer, KeyProblem, ProviderError

Failure = ProviderError | UnusableBill | CannotUnseal
CANNOT_OPEN = (
    "The stored key cannot be opened: the encryption key it was sealed with is no longer configured. "
    "Paste the provider's key again."
)
INTERRUPTED = "The worker was stopped again and again while it read. Nothing is lost; the next sync goes on."


def told(error: Failure) -> str:
    """The failure in a sentence for a person, with the provider's own words where they help."""
    if isinstance(error, CannotUnseal):
        return CANNOT_OPEN
    sentence = error.user_message
    if isinstance(error, ProviderError) and error.detail:
        name = error.upstream.name
        # A bad answer's detail is our own finding; a refusal's is what the provider said.
        sentence += f" Found: {error.detail}." if isinstance(error, BadAnswer) else f" {name} said: “{error.detail}”"
    return sentence


def end_badly(lease: Lease, error: Failure, *, jitter_percent: int) -> None:
    """Decide what becomes of the run and its connection. Raises: LostLease."""
    code, message = sync_rules.slug_of(type(error).__name__), told(error)
    if isinstance(error, KeyProblem):
        _reject(lease, code, message)
    elif isinstance(error, ProviderError) and error.is_transient and sync_runs.attempts(lease) < ATTEMPTS_MAX:
        wait = sync_rules.wait_after(sync_runs.attempts(lease), error.retry_after_seconds, jitter_percent)
        sync_runs.put_back(lease, wait, code=code, message=message)
    else:
        sync_runs.end(lease, State.FAILED, code=code, message=message)
        raise_alert(SYNC_FAILED, subject=lease.connection_id, severity="warning", message=message)
    _say(lease, code, message)


def _reject(lease: Lease, code: str, message: str) -> None:
    sync_runs.end(lease, State.FAILED, code=code, message=message)
    _update(lease, {"status": "rejected", "next_sync_at": None})
    raise_alert(KEY_REJECTED, subject=lease.connection_id, severity="warning", message=message)


def _say(lease: Lease, code: str, message: str) -> None:
    _update(lease, {"last_error": message, "last_error_code": code})


def _update(lease: Lease, values: dict[str, object]) -> None:
    """Only while the connection still has the key that failed: a new one starts clean."""
    ours = update(Connection).where(
        Connection.id == lease.connection_id,
        Connection.status != "removed",
        Connection.key_fingerprint == lease.key_fingerprint,
    )
    db.session.execute(ours.values(values), execution_options={"synchronize_session": False})


def give_up_lost() -> int:
    """Fail runs whose workers died again and again without progress; answers how many."""
    found = sync_runs.lost_for_good()
    for run in found:
        sync_runs.give_up(run, code="interrupted", message=INTERRUPTED)
        db.session.execute(
            update(Connection)
            .where(Connection.id == run.connection_id, Connection.status == "active")
            .values(last_error=INTERRUPTED, last_error_code="interrupted")
        )
        raise_alert(SYNC_FAILED, subject=run.connection_id, severity="warning", message=INTERRUPTED)
    return len(found)
