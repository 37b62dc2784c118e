"""JSON calls: one decorator reads and checks the input, writes the answer, and knows enough for the OpenAPI document.

    @blueprint.post("/api/budgets")
    @operation("Set a monthly budget", body=BudgetBody)
    def set_budget(body: BudgetBody) -> Answer: ...

Laws: fields are camelCase on the wire and snake_case inside; unknown fields are ignored, as the seeds' clients send
some; bodies go through the strict JSON reader; a view returns a dict, a pydantic model, or (that, status).
Why our own: decision record 0008 (175 generated cases passed; four libraries each failed some).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar

from flask import Response, json, request
from flask.json.provider import DefaultJSONProvider
from flask_login import current_user
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from werkzeug.exceptions import UnsupportedMediaType

from tokenboard.core.clock import Month, iso
from tokenboard.core.errors import Unauthenticated, ValidationFailed
from tokenboard.core.money import json_number
from tokenboard.core.parsing import parse_json

View = TypeVar("View", bound=Callable[..., Any])
Answer = dict[str, Any] | tuple[dict[str, Any], int] | Response | tuple[str, int]


class Body(BaseModel):
    """A JSON body. Numbers and texts are not converted into each other."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", strict=True)


def limits(shortest: int, longest: int, **more: Any) -> Any:
    """What a text's own reader holds, for the OpenAPI document."""
    return Field(json_schema_extra={"minLength": shortest, "maxLength": longest, **more})


class Query(BaseModel):
    """The query of an address: everything arrives as text."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the OpenAPI document says of a call (web/openapi.py)."""

    summary: str
    body: Any = None
    sends: Any = None  # the body of a view that reads it by itself, such as a signed webhook
    query: type[Query] | None = None
    auth: str = "session"  # one of web/openapi_security.py; `session` is a cookie or a bearer
    status: int = 200
    tag: str = ""
    answer: Any = None  # a shape, or {"field": type}; None: an empty object, or nothing with 204
    media: str = "application/json"
    or_csv: bool = False  # `format=csv` answers a table
    also: tuple[int, ...] = ()  # statuses that answer in the same shape
    errors: tuple[int, ...] = ()  # beside those that follow from auth, body and path
    headers: tuple[str, ...] = ()  # request headers that are read, such as Idempotency-Key
    is_openai: bool = False  # refusals in OpenAI's shape

    def on(self, view: View) -> View:
        """Say it of a view, also of one that reads and answers by itself, as OpenAI's calls do."""
        view.operation = self  # type: ignore[attr-defined]
        return view


class Json(DefaultJSONProvider):
    """Instants with `Z`, exact decimals as numbers, keys in the order they were written."""

    sort_keys = False

    @staticmethod
    def default(o: Any) -> Any:
        if isinstance(o, datetime):
            return iso(o)
        if isinstance(o, (date, Month)):
            return str(o)
        if isinstance(o, Decimal):
            return json_number(o)
        return DefaultJSONProvider.default(o)


def operation(
    summary: str,
    *,
    body: type[Body] | None = None,
    query: type[Query] | None = None,
    auth: str = "session",
    status: int = 200,
    **said: Any,
) -> Callable[[View], View]:
    """Declare a JSON call. The view receives `body=` and `query=` as checked models where they are declared.

    `said` is what the document says besides: tag, answer, errors and the other fields of `Operation`.
    """
    told = Operation(summary=summary, body=body, query=query, auth=auth, status=status, **said)

    def declare(view: View) -> View:
        @wraps(view)
        def call(**path: Any) -> Any:
            if auth == "session" and not current_user._get_current_object().is_authenticated:
                raise Unauthenticated  # before the input is read: a stranger learns nothing of its shape
            inputs = dict(path)
            if query is not None:
                inputs["query"] = _checked(query, request.args.to_dict())
            if body is not None:
                inputs["body"] = _checked(body, _json_body())
            return _answer(view(**inputs), status)

        return told.on(call)  # type: ignore[return-value]

    return declare


def _json_body() -> Any:
    """The body; none at all is an empty object, since many clients send none where every field may be left out."""
    if not request.content_length:
        return {}
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        return parse_json(request.get_data())
    except ValueError as error:
        raise ValidationFailed({"body": [str(error)]}, f"The body cannot be read. {error}") from error


def _checked(model: type[BaseModel], given: Any) -> BaseModel:
    """Raises: ValidationFailed, naming each field as the caller wrote it."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ValidationFailed(field_faults(error)) from error


def field_faults(error: ValidationError) -> dict[str, list[str]]:
    """Pydantic's findings as `{"field": ["Sentence."]}`."""
    faults: dict[str, list[str]] = {}
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in fault["loc"]) or "body"
        faults.setdefault(name, []).append(_sentence(fault["type"], fault["msg"]))
    return faults


def _sentence(kind: str, message: str) -> str:
    if kind == "missing":
        return "This field is required."
    text = message.removeprefix("Value error, ")
    return text if text.endswith(".") else f"{text}."


def _answer(result: Any, status: int) -> Any:
    if isinstance(result, Response):
        return result
    payload, code = result if isinstance(result, tuple) else (result, status)
    if isinstance(payload, BaseModel):
        payload = payload.model_dump(by_alias=True)
    text = "" if code == 204 else json.dumps(payload)
    return Response(text, code, mimetype="application/json")
