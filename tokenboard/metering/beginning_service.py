"""Beginning a call: price → bound → limits → caps → hold → row, all in the caller's transaction.

Laws: nothing is asked of a provider before its credits are held; a hold is never more than is available; a wallet or
cap that can pay for a part gets a shorter answer, one that cannot pay for a short one is refused before any stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from tokenboard.core.clock import Month, now
from tokenboard.core.db import db, new_id
from tokenboard.core.settings import settings
from tokenboard.ledger import queries as ledger_queries, service as ledger
from tokenboard.ledger.errors import InsufficientCredits
from tokenboard.ledger.results import HoldPlaced
from tokenboard.metering import cap_service, opening, price_queries, rules
from tokenboard.metering.cap_service import Cap
from tokenboard.metering.errors import CallExists, CapReached, ContextTooLong, TooManyMessages, TooManyStreams
from tokenboard.metering.facts import CallOrder, Estimate, OpenCall, Price
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.opening import Seen
from tokenboard.metering.rules import Plan, Size, Tariff
from tokenboard.metering.worth import cents_of_micros, credit_value_nano

# Renewed by the recorder every 3 s; the sweeper settles a call whose lease is over.
LEASE_SECONDS = 10
# Only a backstop: the longest call takes ten minutes.
HOLD_SECONDS = 3_600
# Others may spend between our look at the balance and our hold. After the first lost race the wallet's row is ours.
_TRIES = 4
_MINUTE = timedelta(seconds=60)
_ANY_NUMBER = 2**31
_KNOWN = tuple(one.name for one in fields(OpenCall) if one.name not in {"price", "markup"})
SOURCE_WORDS = {"chat": "Chat", "gateway": "API call", "openwebui": "Open WebUI"}


def begin(*, order: CallOrder) -> OpenCall:
    """Hold what a call can cost at most, and open it.

    Raises: ModelNotOffered, ContextTooLong, InsufficientCredits, CapReached, TooManyStreams, TooManyMessages,
    CallExists, ValidationFailed.
    """
    call_id, started_at = order.call_id or new_id(), now()
    month = str(Month.of(started_at.date()))
    seen = opening.look(order, month)
    tariff, size, wanted = _measured(order, seen.price)
    most_open = _require_room(order, seen.open_calls)
    plan, placed = _hold(order, call_id, tariff, size, wanted, seen)
    row = _row(order, call_id, tariff, size, plan)
    row["hold_id"] = placed.hold_id if placed else None
    row["membership_id"] = next((cap.subject_id for cap in seen.caps if cap.kind == "member"), None)
    row |= {"cap_month": month, "started_at": started_at}
    row["lease_until"] = started_at + timedelta(seconds=order.lease_seconds)
    if opening.write(row, seen.caps) >= most_open:
        raise TooManyStreams(most_open)
    return _opened(row, tariff)


def _opened(row: Mapping[str, Any], tariff: Tariff) -> OpenCall:
    known = {name: row[name] for name in _KNOWN}
    return OpenCall(price=tariff.price, markup=tariff.markup, **known)


def estimate(*, order: CallOrder) -> Estimate:
    """What a call would cost, without holding anything. Raises: ModelNotOffered, ContextTooLong, ValidationFailed."""
    tariff, size, wanted = _measured(order, price_queries.offered(order.model))
    prompt = min(rules.usual_tokens(size.prompt_bytes), size.prompt_tokens_bound)
    low = rules.cost_nano(tariff.price, prompt_tokens=prompt, completion_tokens=rules.least_tokens(wanted))
    month = str(Month.of(now().date()))
    caps = cap_service.caps_of(
        workspace_id=order.workspace.id, person_id=order.person_id, month=month, key_limit=order.key_limit
    )
    available = ledger_queries.balance(order.workspace.ledger_account_id).available_micros
    plan = rules.plan(tariff, size, wanted, _affordable(available, caps))
    return Estimate(
        low_micros=rules.charge_micros(tariff, low),
        high_micros=rules.most_micros(tariff, size, wanted),
        prompt_tokens=prompt,
        max_output_tokens=plan.max_output_tokens if plan else 0,
        is_affordable=plan is not None,
    )


def _measured(order: CallOrder, price: Price) -> tuple[Tariff, Size, int]:
    tariff = Tariff(price, price_queries.markup_for(price), credit_value_nano())
    size = rules.size_of(order.messages, order.tool_bytes, price.max_input_tokens)
    if rules.is_too_long(size, price.max_input_tokens):
        raise ContextTooLong(order.model, price.max_input_tokens or 0)
    return tariff, size, rules.output_limit(order.max_output_tokens, price.max_output_tokens)


def _require_room(order: CallOrder, seen_open: int) -> int:
    """How many calls may be open beside this one. Raises: TooManyStreams, TooManyMessages.

    Counted from rows, under the lock of the person's window: again here when there seemed to be no room, and at last
    when the call is written.
    """
    if order.person_id is None:
        return _ANY_NUMBER
    most = settings().max_streams_per_person
    if seen_open >= most and opening.open_calls(order.person_id) >= most:
        raise TooManyStreams(most)
    if order.source == "chat" and not order.is_background:
        _require_quiet(order.person_id)
    return most


def _require_quiet(person_id: str) -> None:
    most, since = settings().messages_per_minute, now() - _MINUTE
    sent = (
        select(MeteredCall.started_at)
        .where(MeteredCall.person_id == person_id, MeteredCall.started_at > since)
        .where(MeteredCall.source == "chat", MeteredCall.is_background.is_(False))
        .order_by(MeteredCall.started_at.desc())
        .limit(most)
    )
    recent = list(db.session.scalars(sent))
    if len(recent) >= most:
        wait = (recent[-1] - since).total_seconds()
        raise TooManyMessages(most, retry_after_seconds=max(1, int(wait) + 1))


def _hold(
    order: CallOrder, call_id: str, tariff: Tariff, size: Size, wanted: int, seen: Seen
) -> tuple[Plan, HoldPlaced | None]:
    """What was seen of the wallet may be out of date: the hold decides, and what is planned for less looks again."""
    wallet_id = order.workspace.ledger_account_id
    plan = rules.plan(tariff, size, wanted, _affordable(seen.free_micros, seen.caps))
    for attempt in range(1, _TRIES + 1):
        if attempt > 1 or plan is None or plan.is_shortened:
            available_micros = ledger_queries.balance(wallet_id).available_micros
            plan = rules.plan(tariff, size, wanted, _affordable(available_micros, seen.caps))
        if plan is None:
            raise _refusal(order, tariff, size, wanted, seen.caps)
        if not plan.hold_micros:
            return plan, None
        try:
            return plan, _placed(order, wallet_id, call_id, plan)
        except InsufficientCredits:
            if attempt == _TRIES:
                raise
    raise AssertionError("the last attempt answers or raises")


def _affordable(available_micros: int, caps: list[Cap]) -> int:
    return max(0, min([available_micros, *(cap.left_micros for cap in caps if cap.left_micros is not None)]))


def _placed(order: CallOrder, wallet_id: str, call_id: str, plan: Plan) -> HoldPlaced:
    placed = ledger.hold(
        wallet_id=wallet_id,
        amount_micros=plan.hold_micros,
        key=f"call:{call_id}",
        expires_at=now() + timedelta(seconds=HOLD_SECONDS),
        description=call_words(order.source, order.model),
        source=f"metering:{call_id}",
    )
    if placed.is_replay:
        raise CallExists
    return placed


def call_words(source: str, model: str) -> str:
    """A call as the ledger's lines name it."""
    return f"{SOURCE_WORDS[source]}: {model}"


def _refusal(order: CallOrder, tariff: Tariff, size: Size, wanted: int, caps: list[Cap]) -> Exception:
    """Whoever has the least left is why: a cap, else the wallet."""
    required = rules.most_micros(tariff, size, rules.least_tokens(wanted))
    balance = ledger_queries.balance(order.workspace.ledger_account_id)
    tight = [cap for cap in caps if cap.left_micros is not None and cap.left_micros < required]
    if tight and balance.available_micros >= required:
        cap = tight[0]
        assert cap.cap_micros is not None, "only a cap with an amount is tight"
        return CapReached(
            cap.kind, cap_cents=cents_of_micros(cap.cap_micros), used_cents=cents_of_micros(cap.used_micros)
        )
    return InsufficientCredits(
        posted_micros=balance.posted_micros - balance.expired_micros,
        held_micros=balance.held_micros,
        required_micros=required,
    )


def _row(order: CallOrder, call_id: str, tariff: Tariff, size: Size, plan: Plan) -> dict[str, Any]:
    return {
        "id": call_id,
        "workspace_id": order.workspace.id,
        "wallet_id": order.workspace.ledger_account_id,
        "person_id": order.person_id,
        "source": order.source,
        "model": order.model,
        "price_id": tariff.price.id,
        "markup": str(tariff.markup),
        "key_id": order.key_limit.key_id if order.key_limit else None,
        "key_window": order.key_limit.window if order.key_limit else "",
        "conversation_id": order.conversation_id,
        "message_id": order.message_id,
        "is_background": order.is_background,
        "keeps_text": order.keeps_text,
        "state": "open",
        "held_micros": plan.hold_micros,
        "prompt_bytes": size.prompt_bytes,
        "prompt_tokens_bound": size.prompt_tokens_bound,
        "max_output_tokens": plan.max_output_tokens,
        "is_shortened": plan.is_shortened,
        "lease_token": new_id(),
    }
