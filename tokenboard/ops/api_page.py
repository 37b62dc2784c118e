"""The OpenAPI document as a page shows it: calls by part, each with what it takes and what it answers. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

PATH = "/api/docs"
Json = dict[str, Any]
_REF = "#/components/"


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of an input."""

    name: str
    place: str
    kind: str
    is_required: bool
    note: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One status."""

    status: str
    meaning: str


@dataclass(frozen=True, slots=True)
class CallCard:
    """One call."""

    id: str
    method: str
    path: str
    summary: str
    note: str
    who: str
    fields: tuple[FieldRow, ...]
    sample: str
    answer: str
    answers: tuple[AnswerRow, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A tag with its calls."""

    name: str
    about: str
    href: str
    is_current: bool
    calls: tuple[CallCard, ...]


@dataclass(frozen=True, slots=True)
class Docs:
    """Everything the page prints. `shown` is the part that is read, None on the first page."""

    parts: tuple[Part, ...]
    shown: Part | None
    base_url: str


def build(document: Json, *, tag: str) -> Docs:
    """The first page, or one part in full."""
    parts = tuple(_part(document, told, tag) for told in document["tags"])
    filled = tuple(one for one in parts if one.calls)
    shown = next((one for one in filled if one.is_current), None)
    return Docs(filled, shown, document["servers"][0]["url"])


def _part(document: Json, told: Json, tag: str) -> Part:
    name = told["name"]
    found = tuple(
        _card(document, path, method, call)
        for path, methods in document["paths"].items()
        for method, call in methods.items()
        if call["tags"] == [name]
    )
    return Part(name, told["description"], f"{PATH}?tag={quote(name)}", name == tag, found)


def _card(document: Json, path: str, method: str, call: Json) -> CallCard:
    good = next(answer for status, answer in call["responses"].items() if status[0] in "23")
    return CallCard(
        id=call["operationId"],
        method=method.upper(),
        path=path,
        summary=call["summary"],
        note=call.get("description", ""),
        who=_who(call["security"]),
        fields=(*map(_parameter, call.get("parameters", [])), *_body_fields(document, call)),
        sample=_sample(document, path, method, call),
        answer=_example(good),
        answers=tuple(_answer(document, status, told) for status, told in call["responses"].items()),
    )


_WHO = {
    "token": "an API token, or signed in",
    "virtualKey": "a virtual key",
    "openWebUi": "Open WebUI's signature",
    "adminKey": "the operator's key",
    "cronSecret": "CRON_SECRET",
    "metricsToken": "METRICS_TOKEN",
    "litellmSecret": "LiteLLM's secret",
    "stripeSignature": "Stripe's signature",
    "paystackSignature": "Paystack's signature",
}


def _who(security: list[Json]) -> str:
    if not security:
        return "anyone"
    return " or ".join(_WHO[name] for one in security for name in one if name in _WHO)


def _parameter(told: Json) -> FieldRow:
    return FieldRow(
        told["name"], told["in"], _kind(told["schema"]), bool(told.get("required")), told.get("description", "")
    )


def _body_fields(document: Json, call: Json) -> list[FieldRow]:
    if "requestBody" not in call:
        return []
    schema = _resolved(document, call["requestBody"]["content"]["application/json"]["schema"])
    required = schema.get("required", [])
    return [
        FieldRow(name, "body", _kind(one), name in required, one.get("description", ""))
        for name, one in schema.get("properties", {}).items()
    ]


def _resolved(document: Json, told: Json) -> Json:
    reference = told.get("$ref", "")
    if not reference:
        return told
    kind, name = reference.removeprefix(_REF).split("/")
    found: Json = document["components"][kind][name]
    return found


def _kind(schema: Json) -> str:
    """A schema in a few words: `string, 1 to 80 characters`, `integer, at least 1`."""
    choices = schema.get("anyOf")
    if choices:
        return " or ".join(_kind(one) for one in choices)
    if schema.get("enum"):
        return " | ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    named = schema.get("format") or (" or ".join(kind) if isinstance(kind, list) else kind)
    return str(named) + _bounds(schema)


def _bounds(schema: Json) -> str:
    if "maxLength" in schema:
        return f", {schema.get('minLength', 0)} to {schema['maxLength']:,} characters"
    lowest, highest = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if lowest is not None and highest is not None:
        return f", {lowest:,} to {highest:,}"
    return f", at least {lowest:,}" if lowest is not None else ""


_HEADER = {
    "token": "Authorization: Bearer $TOKEN",
    "virtualKey": "Authorization: Bearer $KEY",
    "adminKey": "x-admin-key: $ADMIN_API_KEY",
    "cronSecret": "Authorization: Bearer $CRON_SECRET",
    "metricsToken": "Authorization: Bearer $METRICS_TOKEN",
    "litellmSecret": "Authorization: Bearer $LITELLM_WEBHOOK_SECRET",
    "stripeSignature": "Stripe-Signature: t=…,v1=…",
    "paystackSignature": "x-paystack-signature: …",
}


def _sample(document: Json, path: str, method: str, call: Json) -> str:
    """A line for the terminal."""
    lines = [f"curl {document['servers'][0]['url']}{path}"]
    if method != "get":
        lines.append(f"-X {method.upper()}")
    names = [name for one in call["security"] for name in one]
    lines += [f'-H "{_HEADER[name]}"' for name in names if name in _HEADER][:1]
    if "requestBody" in call:
        body = json.dumps(call["requestBody"]["content"]["application/json"]["example"], ensure_ascii=False)
        lines += ['-H "Content-Type: application/json"', f"-d '{body}'"]
    return " \\\n  ".join(lines)


def _example(answer: Json) -> str:
    for media, told in answer.get("content", {}).items():
        example = told.get("example")
        if media == "application/json":
            return json.dumps(example, indent=2, ensure_ascii=False)
        if example:
            return str(example)
    return ""


def _answer(document: Json, status: str, told: Json) -> AnswerRow:
    return AnswerRow(status, _resolved(document, told)["description"])
