"""Spend read back: the one door of both feeds. `book` decides about each request once and pays for what is new.

Laws: a request's line is inserted first, and only what the INSERT really inserted has an effect, so that both feeds may
bring everything, twice, late and in any order; line, windows, ledger, mirror and usage commit together or not at all.
Locks in this order, each kind sorted: lines, windows of caps, wallets, keys, targets, roll-ups; a call that settles
takes those it needs likewise. The ledger may go below zero here, for the usage has happened: then the keys that
used it pause until the wallet is covered. Nothing here commits.
Units: `*_nano` nano-USD as the proxy says, `*_micros` micro-credits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert
from tokenboard.keys import spend_effects, spend_queries, spend_rules
from tokenboard.keys.spend_effects import Charge
from tokenboard.keys.spend_models import SpendLine
from tokenboard.keys.spend_queries import Owner
from tokenboard.keys.spend_rules import Known, SpendKind
from tokenboard.metering import price_queries, rules as metering_rules, worth
from tokenboard.metering.facts import Price
from tokenboard.providers.litellm_objects import SpendRecord

LARGEST_BATCH = 1_000
KNOWN = "known"


@dataclass(frozen=True, slots=True)
class _World:
    """What is known here of everybody a batch names."""

    by_hash: Mapping[str, Owner]
    by_email: Mapping[str, Owner]
    calls: set[str]
    house_hashes: frozenset[str]
    prices: Mapping[str, Price]

    def known(self, record: SpendRecord) -> Known:
        return Known(
            is_our_secret=record.key_hash in self.by_hash,
            is_our_call=spend_queries.call_id_of(record.call_id) in self.calls,
            is_house_key=record.key_hash in self.house_hashes,
            is_our_person=record.end_user in self.by_email,
        )

    def owner(self, record: SpendRecord) -> Owner | None:
        """Who used it: the key's owner; without a key of ours the person, unless the house itself asked."""
        if record.key_hash in self.by_hash:
            return self.by_hash[record.key_hash]
        return None if record.key_hash in self.house_hashes else self.by_email.get(record.end_user)


def book(*, records: Sequence[SpendRecord], feed: str, house_hashes: frozenset[str] = frozenset()) -> dict[str, int]:
    """Decide about these requests and pay for what is new; how many there were of each kind, and were known.

    `feed` is `callback` or `log`; `house_hashes` are the keys that TokenBoard itself asks with. At most 1,000 at once.
    Idempotent: by the proxy's request id.
    """
    assert len(records) <= LARGEST_BATCH, "the caller cuts"
    by_key: dict[str, SpendRecord] = {}
    for record in records:
        by_key.setdefault(spend_rules.request_key(record.request_id), record)
    new = {key: by_key[key] for key in sorted(by_key.keys() - spend_queries.known_lines(by_key))}
    world = _world(list(new.values()), house_hashes)
    charges = {key: _charge(key, record, world) for key, record in new.items()}
    fresh = _insert_lines(list(charges.values()), feed)
    effective = [charge for key, charge in charges.items() if key in fresh]
    spend_effects.apply(effective)
    counts = Counter(charge.kind.value for charge in effective)
    counts[KNOWN] = len(records) - len(effective)
    return dict(counts)


def _world(records: Sequence[SpendRecord], house_hashes: frozenset[str]) -> _World:
    return _World(
        by_hash=spend_queries.owners_by_hash(one.key_hash for one in records),
        by_email=spend_queries.owners_by_email(one.end_user for one in records),
        calls=spend_queries.calls_among(one.call_id for one in records),
        house_hashes=house_hashes,
        prices=price_queries.known({one.model for one in records}),
    )


def _charge(key: str, record: SpendRecord, world: _World) -> Charge:
    kind = spend_rules.classify(record, world.known(record))
    price = world.prices.get(record.model)
    markup = price_queries.markup_for(price) if price else settings().credit_markup
    is_paid = kind is SpendKind.CHARGE
    return Charge(
        request_key=key,
        kind=kind,
        record=record,
        owner=world.owner(record) if kind in (SpendKind.CHARGE, SpendKind.REFUSED) else None,
        person=world.by_email.get(record.end_user),
        price_id=price.id if price else None,
        markup=markup,
        micros=_micros(record.cost_nano, markup) if is_paid else 0,
        expected_nano=_expected(record, price),
    )


def _micros(cost_nano: int, markup: Decimal) -> int:
    return metering_rules.charged_micros(cost_nano, markup=markup, credit_value_nano=worth.credit_value_nano())


def _expected(record: SpendRecord, price: Price | None) -> int | None:
    """What our own price table makes of it."""
    if price is None:
        return None
    return metering_rules.cost_nano(
        price,
        prompt_tokens=record.prompt_tokens,
        cached_tokens=record.cached_tokens,
        completion_tokens=record.completion_tokens,
    )


def _insert_lines(charges: Sequence[Charge], feed: str) -> set[str]:
    """Which of these requests had no line; they have one now. Waits for whoever inserts the same."""
    if not charges:
        return set()
    statement = insert(SpendLine).on_conflict_do_nothing(index_elements=["request_key"])
    rows = [_line(one, feed) for one in charges]
    return set(db.session.scalars(statement.returning(SpendLine.request_key), rows))


def _line(charge: Charge, feed: str) -> dict[str, object]:
    record, owner = charge.record, charge.owner
    is_reconciled = charge.kind is SpendKind.RECONCILE
    return {
        "request_key": charge.request_key,
        "kind": charge.kind.value,
        "feed": feed,
        "call_id": spend_queries.call_id_of(record.call_id) if is_reconciled else None,
        "workspace_id": owner.workspace_id if owner else None,
        "key_id": owner.key_id if owner else None,
        "key_hash": record.key_hash[:64],
        "end_user": record.end_user[:254],
        "model": charge.model,
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.completion_tokens,
        "cost_nano": record.cost_nano,
        "expected_nano": charge.expected_nano,
        "is_success": record.is_success,
        "error_code": record.error_code[:40],
        "started_at": record.started_at,
        "booked_at": now(),
    }
