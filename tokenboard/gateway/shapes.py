"""Shapes of `/v1` as clients of OpenAI know them, for the OpenAPI document. More may be sent and answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from tokenboard.gateway.forms import LARGEST_OUTPUT, LONGEST_MODEL, MOST_INPUTS, MOST_MESSAGES
from tokenboard.web.shapes import ModelName, OpenShape, words

ModelAsked = Annotated[str, Field(min_length=1, max_length=LONGEST_MODEL, examples=["gpt-4o-mini"])]


class ChatMessage(OpenShape):
    """One message. Only text can be sent."""

    role: Annotated[str, words("system", "developer", "user", "assistant", "tool", "function")]
    content: Annotated[Any, Field(examples=["Say hello."])] = None


class StreamOptions(OpenShape):
    """Whether a last chunk tells what was used."""

    include_usage: bool = False


class ChatCompletionRequest(OpenShape):
    """OpenAI's request. Passed on besides: temperature, top_p, stop, tools, response_format and their like."""

    model: ModelAsked
    messages: list[ChatMessage] = Field(min_length=1, max_length=MOST_MESSAGES)
    max_completion_tokens: int | None = Field(None, ge=1, le=LARGEST_OUTPUT)
    max_tokens: int | None = Field(None, ge=1, le=LARGEST_OUTPUT, deprecated=True)
    stream: bool = False
    stream_options: StreamOptions | None = None


class ChatCompletion(OpenShape):
    """OpenAI's answer; with `stream: true` it comes as `chat.completion.chunk` events and ends with `[DONE]`."""

    id: str
    object: Annotated[str, words("chat.completion")]
    model: ModelName
    choices: list[dict[str, Any]]
    usage: dict[str, Any] | None


class EmbeddingRequest(OpenShape):
    """A text, or a list of texts."""

    model: ModelAsked
    input: (
        Annotated[str, Field(min_length=1)]
        | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=MOST_INPUTS)]
    ) = Field(examples=["A text to embed."])


class EmbeddingList(OpenShape):
    """OpenAI's answer, as the provider gave it."""

    object: str
    data: list[dict[str, Any]]
    model: str


class OfferedModel(OpenShape):
    """A model that this caller may use."""

    id: ModelName
    object: Annotated[str, words("model")]
    created: int
    owned_by: str


class OfferedModels(OpenShape):
    """OpenAI's list."""

    object: Annotated[str, words("list")]
    data: list[OfferedModel]
