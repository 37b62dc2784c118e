"""Telling LiteLLM: one target, computed from what is true now, sent as an absolute value.

Laws: a target is taken by a guarded UPDATE that sets a lease, so that one worker at a time sends it; facts are read in
one short transaction, the proxy is asked with none open, what came of it is written in another; a version that moved on
meanwhile leaves the target due. What cannot be told yet is tried again ever later, for as long as it takes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, or_, update

from tokenboard.audit.alerts import raise_alert
from tokenboard.core.clock import now
from tokenboard.core.crypto import CannotUnseal
from tokenboard.core.db import db, rows_changed
from tokenboard.core.jobs import ring
from tokenboard.core.settings import settings
from tokenboard.keys import mirror_facts, queries, target_rules, targets
from tokenboard.keys.key_service import sealing_context
from tokenboard.keys.mirror_facts import CustomerFacts, KeyFacts, UserFacts
from tokenboard.keys.models import KeySecret, MirrorTarget
from tokenboard.providers.litellm_client import LiteLLMAdmin
from tokenboard.providers.litellm_errors import AlreadyThere, LiteLLMError, NotThere
from tokenboard.providers.litellm_objects import ProxyKey

log = logging.getLogger(__name__)

_LEASE = timedelta(seconds=90)
# After how many failures in a row somebody is told; the tries go on.
_TELL_AFTER = 5
_LONGEST_WAIT_SECONDS = 900
# While the proxy counts less than we have booked its count is late: look again when it has written it down.
_COUNTS_LATE = timedelta(seconds=15)
NO_LIMIT_NANO = 10**18  # a thousand million dollars, for a person whose cap was taken away
# A secret that the proxy could not be given within a day is not kept any longer.
SEALED_FOR = timedelta(hours=24)

Facts = UserFacts | KeyFacts | CustomerFacts | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A target this worker has the lease of."""

    target_id: str
    kind: str
    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class Told:
    """What the proxy was told, and what it had counted."""

    wanted: dict[str, Any]
    seen: dict[str, Any]
    is_late: bool = False
    is_lost: bool = False
    has_secret: bool = False  # it was given the secret just now


def take(target_id: str) -> Taken | None:
    """Take a due target for this worker; None when it is not due, or somebody has it. Does not commit."""
    at = now()
    is_free = or_(MirrorTarget.lease_until.is_(None), MirrorTarget.lease_until < at)
    is_due = (MirrorTarget.state == "due", MirrorTarget.next_attempt_at <= at)
    taken = update(MirrorTarget).where(MirrorTarget.id == target_id, *is_due, is_free)
    if rows_changed(db.session.execute(taken.values(lease_until=at + _LEASE))) != 1:
        return None
    row = db.session.get_one(MirrorTarget, target_id, populate_existing=True)
    return Taken(row.id, row.kind, row.subject, row.version)


def facts_of(taken: Taken) -> Facts:
    """What is true now. Reads only."""
    row = db.session.get_one(MirrorTarget, taken.target_id)
    if taken.kind == "user":
        return mirror_facts.user_facts(row)
    return mirror_facts.key_facts(row) if taken.kind == "key" else mirror_facts.customer_facts(row)


def tell(taken: Taken, facts: Facts, proxy: LiteLLMAdmin) -> Told:
    """Ask the proxy what it has counted, and write what must hold. No transaction is open. Raises: LiteLLMError."""
    if isinstance(facts, UserFacts):
        return _tell_user(taken.subject, facts, proxy)
    if isinstance(facts, CustomerFacts):
        return _tell_customer(taken.subject, facts, proxy)
    return Told({"gone": True, "is_empty": None}, {}) if facts is None else _tell_key(facts, proxy)


def _tell_user(workspace_id: str, facts: UserFacts, proxy: LiteLLMAdmin) -> Told:
    found = proxy.user_info(workspace_id)
    counted = found.spend_nano if found else 0
    budget = target_rules.budget(
        counted_nano=counted, counted_in_all_nano=counted, booked_nano=facts.booked_nano, left_nano=facts.left_nano
    )
    proxy.set_user_budget(workspace_id, budget)
    seen = {"spend_nano": counted, "max_budget_nano": found.max_budget_nano if found else None}
    wanted = {"max_budget_nano": budget, "is_empty": target_rules.is_spent(facts.left_nano)}
    return Told(wanted, seen, is_late=counted < facts.booked_nano)


def _tell_customer(email: str, facts: CustomerFacts, proxy: LiteLLMAdmin) -> Told:
    if facts.left_nano is None:
        if facts.is_lifted:
            proxy.set_customer_budget(email, NO_LIMIT_NANO)  # a budget cannot be taken away there
        return Told({"max_budget_nano": None}, {})  # no cap: what traffic made stands without a limit
    found = proxy.customer_info(email)
    counted = found.spend_nano if found else 0
    budget = target_rules.budget(
        counted_nano=counted, counted_in_all_nano=counted, booked_nano=facts.booked_nano, left_nano=facts.left_nano
    )
    proxy.set_customer_budget(email, budget)
    seen = {"spend_nano": counted, "max_budget_nano": found.max_budget_nano if found else None}
    return Told({"max_budget_nano": budget}, seen, is_late=counted < facts.booked_nano)


def _tell_key(facts: KeyFacts, proxy: LiteLLMAdmin) -> Told:
    if facts.is_gone:
        proxy.delete_keys([facts.hash])
        return Told({"deleted": True}, {})
    if facts.is_lost:
        return Told({"lost": True}, {}, is_lost=True)
    known = proxy.keys_info([facts.hash, *facts.sibling_hashes])
    mine = known.get(facts.hash)
    in_all = sum(one.spend_nano for one in known.values())
    budget = _key_budget(facts, mine, in_all)
    wanted = _wanted(facts, budget)
    if mine is None:
        return _make_key(facts, budget, wanted, proxy)
    _write_key(facts, budget, mine, proxy)
    seen = {"spend_nano": mine.spend_nano, "max_budget_nano": mine.max_budget_nano, "blocked": mine.is_blocked}
    is_late = facts.left_nano is not None and in_all < facts.booked_nano
    return Told(wanted, seen, is_late=is_late, has_secret=bool(facts.sealed))


def _key_budget(facts: KeyFacts, mine: ProxyKey | None, in_all: int) -> int | None:
    if facts.left_nano is None:
        return None
    return target_rules.budget(
        counted_nano=mine.spend_nano if mine else 0,
        counted_in_all_nano=in_all,
        booked_nano=facts.booked_nano,
        left_nano=facts.left_nano,
    )


def _wanted(facts: KeyFacts, budget: int | None) -> dict[str, Any]:
    limits = facts.limits
    return {
        "max_budget_nano": budget,
        "blocked": limits.is_blocked,
        "models": list(limits.models),
        "rpm_limit": limits.rpm_limit,
        "tpm_limit": limits.tpm_limit,
    }


def _make_key(facts: KeyFacts, budget: int | None, wanted: dict[str, Any], proxy: LiteLLMAdmin) -> Told:
    """Give the proxy a secret it does not know, while we still have it. After that it is lost there."""
    if not facts.sealed:
        return Told({"lost": True}, {}, is_lost=True)
    limits = facts.limits
    secret = settings().encryption_keys.unseal(facts.sealed, context=sealing_context(facts.secret_id))
    asked = {
        "secret": secret,
        "alias": facts.alias,
        "user_id": facts.user_id,
        "max_budget_nano": budget,
        "models": limits.models,
        "rpm_limit": limits.rpm_limit,
        "tpm_limit": limits.tpm_limit,
        "expires_in_seconds": target_rules.expires_in_seconds(limits.expires_at, now()),
    }
    try:
        proxy.generate_key(**asked)  # type: ignore[arg-type]  # the very names of its signature
    except AlreadyThere:
        # The alias is ours alone: a key of this name with another hash was made by hand, or by a restored backup.
        stale = proxy.key_by_alias(facts.alias)
        if stale is not None and stale.token != facts.hash:
            proxy.delete_keys([stale.token])
            proxy.generate_key(**asked)  # type: ignore[arg-type]
    if limits.is_blocked:
        proxy.block_key(facts.hash)
    return Told(wanted, {"spend_nano": 0}, has_secret=True)


def _write_key(facts: KeyFacts, budget: int | None, mine: ProxyKey, proxy: LiteLLMAdmin) -> None:
    limits = facts.limits
    duration = target_rules.expires_in_seconds(limits.expires_at, now())
    proxy.update_key(
        facts.hash,
        max_budget_nano=budget,
        models=list(limits.models),
        rpm_limit=limits.rpm_limit,
        tpm_limit=limits.tpm_limit,
        duration="-1" if duration is None else f"{duration}s",
    )
    if limits.is_blocked and not mine.is_blocked:
        proxy.block_key(facts.hash)
    if mine.is_blocked and not limits.is_blocked:
        proxy.unblock_key(facts.hash)


def keep(taken: Taken, told: Told) -> None:
    """Write down what came of it: sent, unless the version moved on meanwhile; then ring again. Does not commit."""
    at = now()
    is_same = MirrorTarget.version == taken.version
    was = queries.target("user", taken.subject) if taken.kind == "user" else None
    was_empty = was.wanted.get("is_empty") if was and was.wanted else None
    values: dict[str, Any] = {
        "state": "due" if told.is_late else case((is_same, "sent"), else_="due"),
        "next_attempt_at": at + _COUNTS_LATE if told.is_late else at,
        "sent_version": taken.version,
        "sent_at": at,
        "attempts": 0,
        "lease_until": None,
        "last_error": "",
        "wanted": told.wanted,
        "seen": told.seen,
        "seen_at": at,
    }
    kept = update(MirrorTarget).where(MirrorTarget.id == taken.target_id).values(values)
    if db.session.scalar(kept.returning(MirrorTarget.version)) != taken.version:
        ring(targets.PUSH, taken.target_id)
    if taken.kind == "user":
        _follow_wallet(taken.subject, was_empty=was_empty, told=told)
    if taken.kind == "key" and (told.has_secret or told.is_lost):
        changed = {"sealed": ""} | ({"is_lost_at_proxy": True} if told.is_lost else {})
        db.session.execute(update(KeySecret).where(KeySecret.id == taken.subject).values(changed))


def _follow_wallet(workspace_id: str, *, was_empty: bool | None, told: Told) -> None:
    """A wallet that is empty now, or has credits again, blocks or opens all its keys."""
    if was_empty != told.wanted["is_empty"]:
        targets.mark_keys(queries.valid_secrets(workspace_id=workspace_id, at=now()), workspace_id)


def put_off(taken: Taken, error: LiteLLMError | CannotUnseal) -> None:
    """It could not be told: again later, ever less often. Does not commit."""
    row = db.session.get_one(MirrorTarget, taken.target_id, populate_existing=True)
    row.attempts += 1
    row.lease_until, row.last_error = None, str(error)[:300]
    if isinstance(error, NotThere):  # it began anew between our question and our answer
        row.next_attempt_at = now()
    else:
        row.next_attempt_at = now() + timedelta(seconds=_wait_seconds(row.attempts))
    if row.attempts == _TELL_AFTER:
        raise_alert(
            "keys.mirror_failing",
            subject=f"{row.kind}:{row.subject}",
            severity="warning",
            message=f"LiteLLM could not be told about a {row.kind} for the fifth time: {row.last_error[:200]}",
        )
    log.warning("mirror_put_off", extra={"kind": row.kind, "attempts": row.attempts, "error": type(error).__name__})


def _wait_seconds(attempts: int) -> int:
    wait: int = 2 ** min(attempts, 10)
    return min(_LONGEST_WAIT_SECONDS, wait)


def forget_old_secrets(at: datetime) -> int:
    """Secrets that the proxy never got are not kept for ever; their keys work at /v1. Does not commit."""
    old = update(KeySecret).where(KeySecret.sealed != "", KeySecret.created_at < at - SEALED_FOR)
    return rows_changed(db.session.execute(old.values(sealed="", is_lost_at_proxy=True)))
