"""One call's row: found, locked, and what is known of it as facts."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, bindparam, select

from tokenboard.core.db import db, is_postgresql
from tokenboard.metering import call_statements, price_queries
from tokenboard.metering.errors import CallNotFound
from tokenboard.metering.facts import OpenCall, Price
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.rules import Delivery, Size, Tariff
from tokenboard.metering.worth import credit_value_nano

CallRow = SimpleNamespace | Row[Any]  # its columns by their names

_CALL = MeteredCall.__table__
# Built once, and a plain row: it is said for every call, and an object of 35 columns costs a millisecond.
_LOCKED = select(_CALL).where(_CALL.c.id == bindparam("asked")).with_for_update()


def locked(call_id: str) -> CallRow:
    """Its columns as they are now, nobody else's to change until the transaction ends; on PostgreSQL its windows too.

    Raises: CallNotFound.
    """
    if not is_postgresql():
        row: CallRow | None = db.session.execute(_LOCKED, {"asked": call_id}).one_or_none()
    else:
        found = call_statements.ENDING.row({"call_id": call_id})
        row = None if found is None else SimpleNamespace(**dict(zip(call_statements.CALL, found[:-1], strict=True)))
    if row is None:
        raise CallNotFound
    return row


def tariff_of(row: MeteredCall | CallRow) -> Tariff:
    """With the price and the markup of the moment it began."""
    return Tariff(price_queries.version(row.price_id), Decimal(row.markup), credit_value_nano())


def delivery_of(row: MeteredCall | CallRow, delivered_bytes: int | None) -> Delivery:
    """What it sent and may take; delivered is what was recorded, unless the caller knows better.

    Where the text is kept somebody reads it: thoughts or a tool call alone, without a word to read, are nothing then.
    """
    recorded_bytes = 0 if row.keeps_text and not row.recorded_chars else row.recorded_bytes
    return Delivery(
        size=Size(row.prompt_bytes, row.prompt_tokens_bound),
        max_output_tokens=row.max_output_tokens,
        held_micros=row.held_micros,
        delivered_bytes=recorded_bytes if delivered_bytes is None else delivered_bytes,
    )


def open_call_of(row: MeteredCall, price: Price | None = None) -> OpenCall:
    """A row as whoever runs the call knows it; `price` where it has been read already."""
    return OpenCall(
        id=row.id,
        wallet_id=row.wallet_id,
        workspace_id=row.workspace_id,
        model=row.model,
        hold_id=row.hold_id,
        held_micros=row.held_micros,
        price=price or price_queries.version(row.price_id),
        markup=Decimal(row.markup),
        max_output_tokens=row.max_output_tokens,
        prompt_bytes=row.prompt_bytes,
        prompt_tokens_bound=row.prompt_tokens_bound,
        is_shortened=row.is_shortened,
        lease_token=row.lease_token,
        keeps_text=row.keeps_text,
        started_at=row.started_at,
    )
