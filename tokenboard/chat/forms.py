"""What programs and people send to the chat: shapes and limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator

from tokenboard.chat import rules
from tokenboard.core.parsing import clean_text
from tokenboard.wallet.forms import Key
from tokenboard.web.api import Body, Query, limits

MOST_OUTPUT_TOKENS = 32_000  # a caller's wish beyond it is no wish but a mistake
SHORT_ANSWER_TOKENS = 500  # what "a short answer" on the page means


def clean_message(text: str) -> str:
    """A person's message as it is kept and sent."""
    return clean_text(
        text.replace("\r\n", "\n").replace("\r", "\n"), longest=rules.LONGEST_MESSAGE, shortest=1, single_line=False
    )


def clean_title(text: str) -> str:
    """A typed title."""
    return clean_text(text, longest=rules.LONGEST_TYPED_TITLE, shortest=1)


def clean_model(text: str) -> str:
    """A model's name as providers write them."""
    return clean_text(text, longest=120)


def _message(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("Write the message as text.")
    return clean_message(value)


class ChatBody(Body):
    """A new message. Without a conversation it begins one."""

    message: Annotated[str, PlainValidator(_message, json_schema_input_type=str), limits(1, rules.LONGEST_MESSAGE)]
    conversation_id: str | None = Field(None, max_length=100)
    model: Annotated[str, AfterValidator(clean_model), limits(0, 120)] | None = None
    workspace_id: str | None = None
    max_output_tokens: int | None = Field(None, ge=1, le=MOST_OUTPUT_TOKENS)
    idempotency_key: Key | None = None


class ConversationsQuery(Query):
    workspace_id: str | None = None
    q: str = Field("", max_length=rules.LONGEST_SEARCH)
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=100)


class MessagesQuery(Query):
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=100)


class ConversationBody(Body):
    """What may be changed of a conversation; what is left out stays."""

    title: Annotated[str, AfterValidator(clean_title), limits(1, rules.LONGEST_TYPED_TITLE)] | None = None
    is_pinned: bool | None = None
