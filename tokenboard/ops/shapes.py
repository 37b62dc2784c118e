"""Shapes of the operator's answers, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from tokenboard.web.shapes import (
    Cents,
    Count,
    Credits,
    EmailText,
    Id,
    Instant,
    Micros,
    Name,
    OpenShape,
    Sentence,
    Shape,
    words,
)


class Part(Shape):
    """One part of the house and how it fares."""

    ok: bool
    detail: Sentence


class OpenApi(OpenShape):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


class Alert(Shape):
    """Something an administrator should look at."""

    id: Id
    kind: str
    severity: str
    message: Sentence
    status: str
    times: Count
    raised_at: Instant
    last_raised_at: Instant
    acknowledged_at: Instant | None
    resolved_at: Instant | None


class Standing(Shape):
    """A person with how they stand."""

    id: Id
    email: EmailText
    display_name: Name
    balance: Credits
    balance_micros: Micros
    monthly_budget_cents: Cents | None
    monthly_spent_cents: Cents
    is_admin: bool
    disabled: bool
    last_seen_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Waiting(Shape):
    """Rows that wait for a sweeper or a worker."""

    waiting: Count
    late: Count
    oldest_seconds: Count | None


class Syncs(Shape):
    """How readings of bills went."""

    last_done_at: Instant | None
    failed_today: Count
    rejected_connections: Count


class Books(Shape):
    """Whether the books balance."""

    status: str
    checked_at: Instant | None
    broken: list[str]


class Monitoring(Shape):
    """How every part stands. `queue` is null while Redis is away."""

    status: Annotated[str, words("ok", "down")]
    parts: dict[str, Part]
    queue: dict[str, Any] | None
    waiting: dict[str, Waiting]
    webhook_lag_seconds: Count | None
    syncs: Syncs
    ledger: Books
    workers: Count
