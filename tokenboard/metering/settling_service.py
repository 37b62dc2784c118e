"""Settling a call: once, whatever happens. The row's lock decides; the second to come sees the first result.

Laws: charged is at most what was held; the record, the roll-ups, the caps and the ledger change in one transaction;
what the provider bills past the charge is the house's and is booked as such. Locks in this order: call, caps, wallet.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, update

from tokenboard.audit.alerts import raise_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import queries as ledger_queries, service as ledger
from tokenboard.ledger.errors import HoldNotOpen
from tokenboard.metering import calls, ending, rules, signals
from tokenboard.metering.beginning_service import call_words
from tokenboard.metering.calls import CallRow
from tokenboard.metering.facts import Outcome, Settled, UsageFact
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.rules import Bill
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.workspaces.models import Workspace

_LONGEST_CODE = 40
_MILLISECOND = timedelta(milliseconds=1)


def settle(*, call_id: str, outcome: Outcome) -> Settled:
    """End a call for what it did cost, at most what it holds; nothing when it delivered nothing.

    Idempotent: a settled call answers its first result, flagged. Raises: CallNotFound.
    """
    row = calls.locked(call_id)
    return _first_result(row) if row.state == "settled" else _settle(row, outcome)


def settle_lost(*, call_id: str) -> Settled | None:
    """The sweeper's settlement, from what was recorded. None: somebody has settled it, or renewed its lease."""
    row = calls.locked(call_id)
    if row.state == "settled" or row.lease_until > now():
        return None
    return _settle(row, Outcome("interrupted", error_code="lost", first_piece_at=row.first_piece_at))


def settled_before(*, call_id: str) -> Settled | None:
    """What a call has cost; None while it runs. Only reads."""
    record = db.session.scalars(select(UsageRecord).where(UsageRecord.dedupe_key == f"call:{call_id}")).one_or_none()
    return None if record is None else _settled(record, is_replay=True)


def request_stop(*, call_id: str) -> bool:
    """Ask whoever runs the call to stop it. Whether it was still open."""
    first = (MeteredCall.id == call_id, MeteredCall.state == "open", MeteredCall.stop_requested_at.is_(None))
    db.session.execute(update(MeteredCall).where(*first).values(stop_requested_at=now()))
    state = db.session.scalar(select(MeteredCall.state).where(MeteredCall.id == call_id))
    return state == "open"


def _settle(row: CallRow, outcome: Outcome) -> Settled:
    tariff = calls.tariff_of(row)
    bill = rules.bill(tariff, calls.delivery_of(row, outcome.delivered_bytes), outcome.usage)
    bill, transaction_id, balance_micros = _capture(row, bill)
    _book_shrinkage(row, bill)
    fact = _fact(row, outcome, bill, transaction_id, balance_micros)
    ending.write(row, fact, outcome.first_piece_at or row.first_piece_at)
    if bill.is_odd:
        _tell_odd(row)
    signals.announce(fact)
    return _settled(fact, is_replay=False)


def _capture(row: CallRow, bill: Bill) -> tuple[Bill, str | None, int]:
    """Take the charge out of the hold; a hold that ended by time has paid what it has paid."""
    if row.hold_id is None:
        return bill, None, ledger_queries.balance(row.wallet_id).posted_micros
    try:
        posting = ledger.capture(
            hold_id=row.hold_id,
            amount_micros=bill.credits_micros,
            description=call_words(row.source, row.model),
            source=f"metering:{row.id}",
        )
    except HoldNotOpen:
        return _unpaid(row, bill), None, ledger_queries.balance(row.wallet_id).posted_micros
    return bill, posting.transaction_id, posting.balance.posted_micros


def _unpaid(row: CallRow, bill: Bill) -> Bill:
    """The hold's own time was over before anybody settled: nothing can be taken any more, so the house pays."""
    raise_alert(
        "metering.hold_gone",
        subject=row.id,
        severity="critical",
        message="A call's hold ended by time before the call was settled. The house pays for it; does the sweeper run?",
    )
    return replace(bill, credits_micros=0, absorbed_micros=bill.absorbed_micros + bill.credits_micros)


def _book_shrinkage(row: CallRow, bill: Bill) -> None:
    if not bill.absorbed_micros:
        return
    ledger.absorb(
        amount_micros=bill.absorbed_micros,
        key=f"call:{row.id}",
        description=call_words(row.source, row.model),
        source=f"metering:{row.id}",
        is_demo=bool(db.session.scalar(select(Workspace.is_demo).where(Workspace.id == row.workspace_id))),
    )


def _fact(row: CallRow, outcome: Outcome, bill: Bill, transaction_id: str | None, balance_micros: int) -> UsageFact:
    ended_at = now()
    return UsageFact(
        dedupe_key=f"call:{row.id}",
        workspace_id=row.workspace_id,
        source=row.source,
        model=row.model,
        status=outcome.kind,
        occurred_at=ended_at,
        person_id=row.person_id,
        key_id=row.key_id,
        call_id=row.id,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        prompt_tokens=bill.prompt_tokens,
        cached_tokens=bill.cached_tokens,
        completion_tokens=bill.completion_tokens,
        reasoning_tokens=bill.reasoning_tokens,
        credits_micros=bill.credits_micros,
        cost_nano_usd=bill.cost_nano_usd,
        absorbed_micros=bill.absorbed_micros,
        price_id=row.price_id,
        markup=row.markup,
        latency_ms=_milliseconds(row.started_at, ended_at),
        first_token_ms=_milliseconds(row.started_at, outcome.first_piece_at or row.first_piece_at),
        error_code=outcome.error_code[:_LONGEST_CODE],
        is_estimated=bill.is_estimated,
        is_background=row.is_background,
        transaction_id=transaction_id,
        balance_after_micros=balance_micros,
    )


def _milliseconds(start: datetime, end: datetime | None) -> int | None:
    """None: it never came. A clock that was set back gives 0."""
    return None if end is None else max(0, (end - start) // _MILLISECOND)


def _settled(fact: UsageFact | UsageRecord, *, is_replay: bool) -> Settled:
    assert fact.call_id is not None, "only calls are settled"
    return Settled(
        call_id=fact.call_id,
        prompt_tokens=fact.prompt_tokens,
        cached_tokens=fact.cached_tokens,
        completion_tokens=fact.completion_tokens,
        reasoning_tokens=fact.reasoning_tokens,
        credits_micros=fact.credits_micros,
        cost_nano_usd=fact.cost_nano_usd,
        balance_after_micros=fact.balance_after_micros or 0,
        status=fact.status,
        is_estimated=fact.is_estimated,
        transaction_id=fact.transaction_id,
        is_replay=is_replay,
    )


def _first_result(row: CallRow) -> Settled:
    record = db.session.scalars(select(UsageRecord).where(UsageRecord.dedupe_key == f"call:{row.id}")).one()
    return _settled(record, is_replay=True)


def _tell_odd(row: CallRow) -> None:
    raise_alert(
        "metering.odd_usage",
        subject=row.model,
        severity="warning",
        message=f"The provider told a usage of {row.model} that nobody can believe; our own count was charged instead.",
    )
