"""Shapes of answers of the chat (answers.py), for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from tokenboard.chat.models import Role, Status
from tokenboard.web.shapes import Credits, Id, Instant, ModelName, Shape, Tokens, words


class Conversation(Shape):
    """A conversation in a list."""

    id: Id
    user_id: Id
    workspace_id: Id
    title: str
    model: ModelName
    is_pinned: bool
    credits: Credits
    created_at: Instant
    updated_at: Instant


class Message(Shape):
    """A message; of an answer that is being written, `content` is what there is so far."""

    id: Id
    conversation_id: Id
    role: Annotated[str, words(*Role)]
    content: str
    tokens: Tokens | None
    prompt_tokens: Tokens | None
    completion_tokens: Tokens | None
    credits: Credits
    model: ModelName | None
    status: Annotated[str, words(*Status)]
    error_code: str | None
    created_at: Instant


class Stopping(Shape):
    """An answer that was asked to end."""

    message_id: Id
    status: Annotated[str, words("stopping", *Status)]
