"""Of what the answers of JSON calls are made: the words that every room's `shapes.py` is written in.

A shape is read by the OpenAPI document and by the test that holds real answers against it; answers themselves are
built by the rooms' `answers.py`. Law: a shape names every field, so that an answer with one more fails the test.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WithJsonSchema
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """An object of an answer. A field without a default is always there, null or not."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class OpenShape(BaseModel):
    """An object of somebody else's making: what is named is there, and more may be."""

    model_config = ConfigDict(populate_by_name=True, extra="allow")


def _text(example: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [example], **more})


def _number(kind: str, example: Any, description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, "examples": [example], "description": description})


def words(*allowed: str) -> WithJsonSchema:
    """One of these words: `Annotated[str, words("on", "off")]`."""
    return WithJsonSchema({"type": "string", "enum": list(allowed), "examples": [allowed[0]]})


Id = Annotated[str, _text("01935a6e-7c1d-7b52-9a51-2f0b7c0d9e11", format="uuid")]
EmailText = Annotated[str, _text("alice@example.com")]
Name = Annotated[str, _text("Acme")]
Sentence = Annotated[str, _text("A sentence for a person.")]
Instant = Annotated[str, _text("2026-11-20T14:05:00Z", format="date-time")]
Day = Annotated[str, _text("2026-11-20", format="date")]
MonthName = Annotated[str, _text("2026-11", pattern="^[0-9]{4}-[0-9]{2}$")]
Url = Annotated[str, _text("https://tokens.example.com/credits", format="uri-reference")]
ModelName = Annotated[str, _text("gpt-4o-mini")]
Cursor = Annotated[str | None, WithJsonSchema({"type": ["string", "null"], "examples": [None]})]

Credits = Annotated[Any, _number("number", 12.5, "Credits, exact to six decimals.")]
Micros = Annotated[int, _number("integer", 12_500_000, "Micro-credits: the exact amount.")]
Cents = Annotated[int, _number("integer", 500, "US cents.")]
Minor = Annotated[int, _number("integer", 999, "The currency's smallest unit, such as cents.")]
Usd = Annotated[Any, _number("number", 61.4, "US dollars, up to nine decimals.")]
Ratio = Annotated[Any, _number("number", 0.34, "A share of one.")]
Count = Annotated[int, _number("integer", 3, "A count.")]
Tokens = Annotated[int, _number("integer", 1204, "Tokens.")]
Milliseconds = Annotated[int, _number("integer", 420, "Milliseconds.")]
