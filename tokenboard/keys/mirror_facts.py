"""What the mirror has to know of the house to compute a target. Reads only, in one short transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select

from tokenboard.accounts.queries import person_by_any_email
from tokenboard.core.clock import Month, now
from tokenboard.core.db import db
from tokenboard.keys import queries, rules, target_rules
from tokenboard.keys.models import KeySecret, MirrorTarget, VirtualKey
from tokenboard.keys.rules import KeyState, Window
from tokenboard.keys.target_rules import KeyTarget
from tokenboard.ledger import queries as ledger
from tokenboard.metering import cap_service, price_queries, worth
from tokenboard.metering.models import CapWindow
from tokenboard.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class UserFacts:
    """A workspace at the proxy: what its wallet still pays for, and what we have booked."""

    left_nano: int
    booked_nano: int


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One secret at the proxy: everything but its budget is told as it stands here."""

    secret_id: str
    alias: str
    hash: str
    sealed: str
    user_id: str
    is_gone: bool  # revoked, or its overlap is over: to be deleted there
    is_lost: bool
    left_nano: int | None
    booked_nano: int
    # The other secrets of the same key, whose spend comes out of the same limit.
    sibling_hashes: tuple[str, ...]
    limits: KeyTarget


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """A person at the proxy, by e-mail; None left: no cap."""

    left_nano: int | None
    booked_nano: int
    # There was a cap, or they were kept out, and the proxy still has that budget.
    is_lifted: bool = False


def _nano(micros: int, markup: Decimal) -> int:
    return target_rules.nano_of_micros(micros, credit_value_nano=worth.credit_value_nano(), markup=markup)


def user_facts(target: MirrorTarget) -> UserFacts | None:
    """None for a demo: its credits are made up. Raises: sqlalchemy's NoResultFound for a workspace that is gone."""
    workspace = db.session.get_one(Workspace, target.subject)
    if workspace.is_demo:
        return None
    available = ledger.balance(workspace.ledger_account_id).available_micros
    return UserFacts(_nano(available, price_queries.largest_markup()), target.booked_nano)


def key_facts(target: MirrorTarget) -> KeyFacts | None:
    """None when the secret is gone from here, or is a demo's."""
    secret = db.session.get(KeySecret, target.subject)
    if secret is None:
        return None
    key, at = db.session.get_one(VirtualKey, secret.key_id), now()
    workspace = db.session.get_one(Workspace, key.workspace_id)
    if workspace.is_demo:
        return None
    siblings = queries.secrets_of(key.id)
    is_valid = rules.is_secret_valid(valid_until=secret.valid_until, revoked_at=secret.revoked_at, at=at)
    left_nano = _key_left_nano(key, at)
    is_broke = ledger.balance(workspace.ledger_account_id).available_micros <= 0
    is_blocked = key.state != KeyState.ACTIVE or is_broke or target_rules.is_spent(left_nano)
    expires_at = min(filter(None, (key.expires_at, secret.valid_until)), default=None)
    return KeyFacts(
        secret_id=secret.id,
        alias=rules.alias(key.id, secret.number),
        hash=secret.hash,
        sealed=secret.sealed,
        user_id=key.workspace_id,
        is_gone=not is_valid or key.state == KeyState.REVOKED,
        is_lost=secret.is_lost_at_proxy,
        left_nano=left_nano,
        booked_nano=_booked([one.id for one in siblings]),
        sibling_hashes=tuple(one.hash for one in siblings if one.id != secret.id and one.revoked_at is None),
        limits=KeyTarget(None, is_blocked, tuple(key.models), key.rpm_limit, key.tpm_limit, expires_at),
    )


def _booked(secret_ids: list[str]) -> int:
    total = select(func.coalesce(func.sum(MirrorTarget.booked_nano), 0))
    return int(db.session.scalar(total.where(MirrorTarget.kind == "key", MirrorTarget.subject.in_(secret_ids))) or 0)


def _key_left_nano(key: VirtualKey, at: datetime) -> int | None:
    """The tightest of the key's own budget and its person's caps; None when there is none."""
    markup = price_queries.largest_markup()
    lefts = [_own_left_micros(key, at)]
    if key.person_id is not None:
        month = str(Month.of(at.date()))
        caps = cap_service.caps_of(workspace_id=key.workspace_id, person_id=key.person_id, month=month)
        lefts += [cap.left_micros for cap in caps]
    left = target_rules.left_of(lefts)
    return None if left is None else _nano(left, markup)


def _own_left_micros(key: VirtualKey, at: datetime) -> int | None:
    if key.max_budget_micros is None:
        return None
    window = rules.window_name(Window(key.budget_window), at)
    used = select(CapWindow.spent_micros + CapWindow.held_micros).where(
        CapWindow.kind == "key", CapWindow.subject_id == key.id, CapWindow.month == window
    )
    return key.max_budget_micros - (db.session.scalar(used) or 0)


def customer_facts(target: MirrorTarget) -> CustomerFacts:
    """What is left of a person's monthly cap, nothing for who is kept out. Past e-mails are targets of their own."""
    person = person_by_any_email(target.subject)
    if person is not None and person.is_disabled:
        return CustomerFacts(0, target.booked_nano)
    if person is None or person.monthly_budget_cents is None:
        was_told = (target.wanted or {}).get("max_budget_nano") is not None
        return CustomerFacts(None, target.booked_nano, is_lifted=person is not None and was_told)
    month = str(Month.of(now().date()))
    used = select(CapWindow.spent_micros + CapWindow.held_micros).where(
        CapWindow.kind == "person", CapWindow.subject_id == person.id, CapWindow.month == month
    )
    left = worth.micros_of_cents(person.monthly_budget_cents) - (db.session.scalar(used) or 0)
    return CustomerFacts(_nano(left, price_queries.largest_markup()), target.booked_nano)
