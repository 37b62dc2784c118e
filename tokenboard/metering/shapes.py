"""Shapes of answers about models and use (answers.py), for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tokenboard.web.shapes import Credits, Id, Instant, Milliseconds, ModelName, Shape, Tokens, words

Source = Annotated[str, words("chat", "gateway", "key", "openwebui", "openwebui_direct")]


class Model(Shape):
    """A model on offer: what a million tokens cost in credits, markup included."""

    id: ModelName
    provider: str
    input_credits: Credits = Field(alias="inputCreditsPerMTok")
    cached_input_credits: Credits | None = Field(alias="cachedInputCreditsPerMTok")
    output_credits: Credits = Field(alias="outputCreditsPerMTok")
    max_input_tokens: Tokens | None
    max_output_tokens: Tokens


class Usage(Shape):
    """One request to a model and what it cost."""

    id: Id
    user_id: Id | None
    conversation_id: Id | None
    model: ModelName
    tokens_used: Tokens
    prompt_tokens: Tokens
    completion_tokens: Tokens
    credits: Credits
    balance_after: Credits | None
    type: Source
    latency_ms: Milliseconds | None
    created_at: Instant
