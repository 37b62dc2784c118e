"""Shapes of answers about virtual keys (answers.py), for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema

from tokenboard.web.shapes import Cents, Count, Id, Instant, ModelName, Name, Sentence, Shape, Tokens, words

NetworkText = Annotated[str, WithJsonSchema({"type": "string", "examples": ["203.0.113.0/24"]})]
TagText = Annotated[str, WithJsonSchema({"type": "string", "examples": ["production"]})]


class VirtualKey(Shape):
    """A key without its secret; `spendCents` is what its current budget window has used."""

    id: Id
    workspace_id: Id
    user_id: Id | None
    name: Name
    prefix: str
    status: str
    pause_reason: Annotated[str, words("person", "credits", "leaver", "admin")] | None
    spend_cents: Cents
    max_budget_cents: Cents | None
    budget_duration: Annotated[str, words("total", "day", "month")]
    models: list[ModelName]
    rpm_limit: Count | None
    tpm_limit: Tokens | None
    allowed_ips: list[NetworkText]
    tags: list[TagText]
    last_used_at: Instant | None
    expires_at: Instant | None
    sync_status: Annotated[str, words("off", "lost", "failing", "pending", "synced")]
    created_at: Instant


class MirrorJob(Shape):
    """A run that tells LiteLLM everything anew. `drifts`: what was not as it had been told."""

    id: Id
    status: Annotated[str, words("queued", "running", "done", "failed")]
    queued_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    targets: Count
    drifts: Count
    error: Sentence | None


class Delivered(Shape):
    """Deliveries, not records: what became of the records stands in the delivery's row."""

    accepted: Count
    duplicates: Count
    rejected: Count
