"""What new spend does: windows of caps, the wallet, the mirror, pauses, usage records; and what the operator is told.

Every step sorts what it locks (see spend_service.py for the order). Nothing here commits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from tokenboard.audit.alerts import raise_alert
from tokenboard.core.clock import Month
from tokenboard.keys import key_service, queries, rules, spend_rules, targets
from tokenboard.keys.rules import KeyState, Window
from tokenboard.keys.spend_queries import Owner
from tokenboard.keys.spend_rules import SpendKind
from tokenboard.ledger import service as ledger
from tokenboard.ledger.results import Posting, Spend
from tokenboard.metering import cap_service
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.usage_service import ingest
from tokenboard.providers.litellm_objects import SpendRecord

ACTOR = "litellm"
_LONGEST_MODEL, _LONGEST_CODE = 120, 40
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Charge:
    """One request with what was decided about it."""

    request_key: str
    kind: SpendKind
    record: SpendRecord
    # Who pays, or would have: None where nobody does.
    owner: Owner | None
    # Whom the proxy counts it for as a customer.
    person: Owner | None
    price_id: str | None
    markup: Decimal
    micros: int
    expected_nano: int | None

    @property
    def model(self) -> str:
        return (self.record.model or "unknown")[:_LONGEST_MODEL]

    @property
    def key(self) -> str:
        """The name of its entry in the ledger and of its usage record."""
        return f"litellm:{self.request_key}"


def apply(charges: Sequence[Charge]) -> None:
    """Let requests that are new take effect, all of them or none."""
    owned = [one for one in charges if one.owner is not None]
    _count_windows(owned)
    postings = _spend(owned)
    _pause_overdrawn(owned, postings)
    _book_targets(charges)
    if owned:
        ingest(records=[_fact(one, one.owner, postings.get(one.key)) for one in owned if one.owner])
    _tell(charges)


def _count_windows(owned: Sequence[Charge]) -> None:
    """Each window once, with the sum: of the key, the member and the person, in the window the request began in."""
    spent: dict[tuple[str, str, str], int] = defaultdict(int)
    for charge in owned:
        owner, at = charge.owner, charge.record.started_at
        if owner is None or not charge.micros:
            continue
        month = str(Month.of(at.date()))
        if owner.key_id:
            spent["key", owner.key_id, rules.window_name(Window(owner.key_window), at)] += charge.micros
        if owner.membership_id:
            spent["member", owner.membership_id, month] += charge.micros
        if owner.person_id:
            spent["person", owner.person_id, month] += charge.micros
    cap_service.add_spent_to(windows=spent)


def _spend(owned: Sequence[Charge]) -> dict[str, Posting]:
    """One ledger entry a request that costs something, wallet by wallet; by key."""
    by_wallet: dict[str, list[Charge]] = defaultdict(list)
    for charge in owned:
        if charge.owner and charge.micros:
            by_wallet[charge.owner.wallet_id].append(charge)
    postings: dict[str, Posting] = {}
    for wallet_id in sorted(by_wallet):
        paid = by_wallet[wallet_id]
        spends = [Spend(one.micros, one.key, _words(one), one.key) for one in paid]
        found = ledger.spend_batch(wallet_id=wallet_id, spends=spends, may_overdraw=True)
        postings |= dict(zip((one.key for one in paid), found, strict=True))
    return postings


def _words(charge: Charge) -> str:
    """What the statement says."""
    way = "with a key at LiteLLM" if charge.owner and charge.owner.key_id else "in Open WebUI"
    return f"{charge.model} {way}"


def _book_targets(charges: Sequence[Charge]) -> None:
    """What the proxy counts for a subject has been paid for: its target takes note, and is computed anew."""
    booked: dict[tuple[str, str, str | None], int] = defaultdict(int)
    for charge in charges:
        nano, owner = charge.record.cost_nano, charge.owner
        if not nano or charge.kind not in (SpendKind.CHARGE, SpendKind.RECONCILE):
            continue
        if owner and owner.secret_id:
            booked["key", owner.secret_id, owner.workspace_id] += nano
            booked["user", owner.workspace_id, owner.workspace_id] += nano
        if charge.person:
            booked["customer", charge.record.end_user, None] += nano
    for kind, subject, workspace_id in sorted(booked, key=lambda one: (_LAST_TO_LOCK[one[0]], one[1])):
        targets.mark(kind, subject, workspace_id, booked_nano=booked[kind, subject, workspace_id])


# The ledger's signal has marked users already; what tells a user marks its keys after it.
_LAST_TO_LOCK = {"user": 0, "key": 1, "customer": 2}


def _pause_overdrawn(owned: Sequence[Charge], postings: dict[str, Posting]) -> None:
    """Keys whose use took their wallet below zero pause; `targets.balance_moved` resumes them."""
    below = {one.wallet_id for one in postings.values() if one.balance.posted_micros < 0}
    used = {one.owner.key_id for one in owned if one.owner and one.micros and one.owner.wallet_id in below}
    for key_id in sorted(filter(None, used)):
        key = queries.by_id(key_id)
        if key is not None and key.state == KeyState.ACTIVE:
            key_service.pause_for_credits(key=key, actor=ACTOR)


def _fact(charge: Charge, owner: Owner, posting: Posting | None) -> UsageFact:
    record = charge.record
    return UsageFact(
        dedupe_key=charge.key,
        workspace_id=owner.workspace_id,
        source="key" if owner.key_id else "openwebui_direct",
        model=charge.model,
        status=spend_rules.usage_status(record),
        occurred_at=record.ended_at,
        person_id=owner.person_id,
        key_id=owner.key_id,
        request_id=charge.request_key,
        prompt_tokens=record.prompt_tokens,
        cached_tokens=record.cached_tokens,
        completion_tokens=record.completion_tokens,
        reasoning_tokens=record.reasoning_tokens,
        credits_micros=charge.micros,
        cost_nano_usd=record.cost_nano,
        price_id=charge.price_id,
        markup=str(charge.markup),
        latency_ms=(record.ended_at - record.started_at) // _MILLISECOND,
        first_token_ms=_first_token_ms(record),
        error_code=record.error_code[:_LONGEST_CODE],
        is_background=spend_rules.is_background(record),
        transaction_id=posting.transaction_id if posting else None,
        balance_after_micros=posting.balance.posted_micros if posting else None,
    )


def _first_token_ms(record: SpendRecord) -> int | None:
    return None if record.first_token_at is None else (record.first_token_at - record.started_at) // _MILLISECOND


def _tell(charges: Sequence[Charge]) -> None:
    """What an administrator should look at, once a batch and subject."""
    told: dict[tuple[str, str], str] = {}
    for charge in charges:
        found = _odd(charge) or _foreign(charge) or _difference(charge)
        if found is not None:
            told.setdefault(found[:2], found[2])
    for (kind, subject), message in sorted(told.items()):
        severity = "info" if kind == "keys.foreign_spend" else "warning"
        raise_alert(kind, subject=subject, severity=severity, message=message)  # type: ignore[arg-type]  # one of its words


def _odd(charge: Charge) -> tuple[str, str, str] | None:
    if charge.kind is not SpendKind.ODD:
        return None
    words = f"LiteLLM reported numbers of {charge.model} that cannot be. The request was kept and not charged."
    return "keys.odd_spend", charge.model, words


def _foreign(charge: Charge) -> tuple[str, str, str] | None:
    if charge.kind is not SpendKind.FOREIGN or not charge.record.cost_nano:
        return None
    words = "LiteLLM reports spend of a key and a person that nobody knows here. It was kept and not charged."
    return "keys.foreign_spend", charge.record.key_hash[:16], words


def _difference(charge: Charge) -> tuple[str, str, str] | None:
    """The proxy's price and ours: once a model and day."""
    cost, expected = charge.record.cost_nano, charge.expected_nano
    if charge.kind not in (SpendKind.CHARGE, SpendKind.RECONCILE) or expected is None:
        return None
    if not spend_rules.is_different(cost_nano=cost, expected_nano=expected):
        return None
    words = (
        f"LiteLLM's cost of {charge.model} and our price table differ by more than a percent: {cost} against {expected}"
        " nano-USD for one request. LiteLLM's is what was charged; compare the two price lists."
    )
    return "keys.price_differs", f"{charge.model}:{charge.record.started_at.date()}", words
