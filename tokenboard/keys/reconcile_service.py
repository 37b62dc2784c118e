"""Comparing the mirror with what it was told: what is missing is marked, what drifted is told again and said.

Laws: LiteLLM is read with no transaction open; a target that was told anew meanwhile is left alone (its sent version
moved on); healing is marking, so that one place computes what is right. Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from tokenboard.accounts.models import Person
from tokenboard.audit.alerts import raise_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db, rows_changed
from tokenboard.keys import drift_rules, targets
from tokenboard.keys.models import KeySecret, MirrorTarget, VirtualKey
from tokenboard.keys.rules import KeyState, Window
from tokenboard.providers.litellm_client import LiteLLMAdmin
from tokenboard.providers.litellm_objects import ProxyCustomer, ProxyKey, ProxyUser

_MARK_CHUNK = 500
Found = ProxyKey | ProxyUser | ProxyCustomer | None


@dataclass(frozen=True, slots=True)
class ToldTarget:
    """A target as it was told last."""

    id: str
    kind: str
    subject: str
    workspace_id: str | None
    # What LiteLLM calls it: a key's hash, else the subject.
    name: str
    wanted: Mapping[str, Any]
    sent_version: int
    has_secret: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """How many were compared, and what was found, in words."""

    targets: int
    drifts: tuple[str, ...]


def mark_missing() -> int:
    """Everything that should have a target and has none, as after the first start with a proxy; how many."""
    secrets = _living_secrets()
    known = {(kind, subject) for kind, subject in db.session.execute(select(MirrorTarget.kind, MirrorTarget.subject))}
    missing = {("user", workspace_id, workspace_id) for _, workspace_id in secrets}
    missing |= {("key", secret_id, workspace_id) for secret_id, workspace_id in secrets}
    capped = select(Person.email).where(Person.monthly_budget_cents.is_not(None))
    wanted = [*missing, *(("customer", email, None) for email in db.session.scalars(capped))]
    lost = sorted((one for one in wanted if one[:2] not in known), key=lambda one: one[:2])
    for kind, subject, workspace_id in lost:
        targets.mark(kind, subject, workspace_id)
    return len(lost)


def _living_secrets() -> list[tuple[str, str]]:
    """Every secret that LiteLLM may know, with its workspace."""
    wanted = select(KeySecret.id, VirtualKey.workspace_id).join(VirtualKey, VirtualKey.id == KeySecret.key_id)
    is_living = (KeySecret.revoked_at.is_(None), VirtualKey.state != KeyState.REVOKED)
    return [(secret_id, workspace_id) for secret_id, workspace_id in db.session.execute(wanted.where(*is_living))]


def told_targets(workspace_id: str | None = None) -> list[ToldTarget]:
    """What was told and is not being told now; of one workspace, or all."""
    told = select(MirrorTarget).where(MirrorTarget.sent_version > 0, MirrorTarget.lease_until.is_(None))
    if workspace_id is not None:
        told = told.where(MirrorTarget.workspace_id == workspace_id)
    rows = [one for one in db.session.scalars(told.order_by(MirrorTarget.id)) if one.wanted is not None]
    names = _hashes([one.subject for one in rows if one.kind == "key"])
    return [_told(row, names) for row in rows if row.kind != "key" or row.subject in names]


def _hashes(secret_ids: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """A secret's hash, and whether it is kept sealed still."""
    found: dict[str, tuple[str, bool]] = {}
    for start in range(0, len(secret_ids), _MARK_CHUNK):
        part = secret_ids[start : start + _MARK_CHUNK]
        rows = db.session.execute(select(KeySecret.id, KeySecret.hash, KeySecret.sealed).where(KeySecret.id.in_(part)))
        found |= {secret_id: (hash_, bool(sealed)) for secret_id, hash_, sealed in rows}
    return found


def _told(row: MirrorTarget, names: Mapping[str, tuple[str, bool]]) -> ToldTarget:
    name, has_secret = names.get(row.subject, (row.subject, False))
    wanted = row.wanted or {}
    return ToldTarget(row.id, row.kind, row.subject, row.workspace_id, name, wanted, row.sent_version, has_secret)


def read_back(told: Sequence[ToldTarget], proxy: LiteLLMAdmin, *, is_everything: bool) -> dict[str, Found]:
    """What LiteLLM says about these, by target. No transaction is open. Raises: LiteLLMError."""
    names = {kind: [one.name for one in told if one.kind == kind] for kind in ("key", "user", "customer")}
    found: dict[tuple[str, str], Found] = {}
    if is_everything:
        found |= {("key", name): one for name, one in proxy.keys().items()}
        found |= {("user", name): one for name, one in proxy.users().items()}
        found |= {("customer", name): one for name, one in proxy.customers().items()}
    else:
        found |= {("key", name): one for name, one in proxy.keys_info(names["key"]).items()}
        found |= {("user", name): proxy.user_info(name) for name in names["user"]}
        found |= {("customer", name): proxy.customer_info(name) for name in names["customer"]}
    return {one.id: found.get((one.kind, one.name)) for one in told}


def compare(told: Sequence[ToldTarget], found: Mapping[str, Found]) -> Compared:
    """Write down what was seen; mark and say what drifted."""
    drifts = []
    for one in told:
        seen = found[one.id]
        drift = _drift(one, seen)
        if _note(one, seen, drift) and drift:
            targets.mark(one.kind, one.subject, one.workspace_id)
            drifts.append(f"{one.kind} {one.subject}: {drift}")
            _tell(one, drift)
    return Compared(len(told), tuple(drifts))


def _drift(told: ToldTarget, seen: Found) -> str:
    if isinstance(seen, ProxyKey) or told.kind == "key":
        return drift_rules.key_drift(told.wanted, seen if isinstance(seen, ProxyKey) else None)
    if isinstance(seen, ProxyUser) or told.kind == "user":
        return drift_rules.user_drift(told.wanted, seen if isinstance(seen, ProxyUser) else None)
    return drift_rules.customer_drift(told.wanted, seen)


def _note(told: ToldTarget, seen: Found, drift: str) -> bool:
    """Whether the target is still as it was read; a note of an earlier drift goes when all is well."""
    is_gone_for_good = told.kind == "key" and drift == drift_rules.GONE and not told.has_secret
    note = drift_rules.note(drift, can_be_made_again=not is_gone_for_good) if drift else ""
    values = {"seen": _seen(seen), "seen_at": now(), "drift_note": note}
    same = (MirrorTarget.id == told.id, MirrorTarget.sent_version == told.sent_version)
    written = update(MirrorTarget).where(*same, MirrorTarget.lease_until.is_(None)).values(values)
    return rows_changed(db.session.execute(written.execution_options(synchronize_session=False))) == 1


def _seen(found: Found) -> dict[str, Any]:
    if found is None:
        return {}
    seen: dict[str, Any] = {"spend_nano": found.spend_nano, "max_budget_nano": found.max_budget_nano}
    return seen | {"blocked": found.is_blocked} if isinstance(found, ProxyKey) else seen


def _tell(told: ToldTarget, drift: str) -> None:
    words = f"A {told.kind} at LiteLLM was not as TokenBoard had told it: {drift}. It was told again."
    subject = f"{told.id}:{now().date()}"
    raise_alert("keys.mirror_drift", subject=subject, severity="warning", message=words)


def turn_windows(at: datetime) -> int:
    """Mark what counts in a window that has just begun: days every day, months on the first; how many."""
    is_first = at.day == 1
    windows = [Window.DAY, Window.MONTH] if is_first else [Window.DAY]
    limited = VirtualKey.max_budget_micros.is_not(None) & VirtualKey.budget_window.in_(windows)
    wanted = select(KeySecret.id).join(VirtualKey, VirtualKey.id == KeySecret.key_id)
    wanted = wanted.where(KeySecret.revoked_at.is_(None))
    # On the first the caps of persons and members begin anew too: all keys, all customers.
    subjects = list(db.session.scalars(wanted if is_first else wanted.where(limited)))
    marked = sum(
        _mark_many(MirrorTarget.kind == "key", MirrorTarget.subject.in_(subjects[start : start + _MARK_CHUNK]))
        for start in range(0, len(subjects), _MARK_CHUNK)
    )
    return marked + (_mark_many(MirrorTarget.kind == "customer") if is_first else 0)


def _mark_many(*which: Any) -> int:
    """Many targets at once; the sweeper tells them."""
    due = {"version": MirrorTarget.version + 1, "state": "due", "attempts": 0, "next_attempt_at": now()}
    marked = update(MirrorTarget).where(*which).values(due).execution_options(synchronize_session=False)
    return rows_changed(db.session.execute(marked))
