"""Judges an exchange with Stripe by the specification of the pinned version.

Requests are closed there: an unknown or misspelt parameter fails. A form's text is read as what the schema wants.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import stripe
from stripe.params._customer_payment_method_list_params import CustomerPaymentMethodListParams
from stripe.params._payment_intent_create_params import PaymentIntentCreateParams

from tests.contract.recorded import Exchange
from tokenboard.sandbox.stripe_form import decoded

Spec = dict[str, Any]
# Calls of ours that the pruned spec leaves out: the official library's own types are their judge (see `_outside`).
OUTSIDE = ("POST /v1/payment_intents", "GET /v1/customers/")


def operation_of(spec: Spec, exchange: Exchange) -> tuple[str, Spec] | None:
    """The path template and the operation of an exchange; None for the calls the pruned spec leaves out."""
    path = urlsplit(exchange.request.path_url).path.removeprefix("/stripe")
    method = str(exchange.request.method)
    # Whole names before placeholders, as a router does.
    for template in sorted(spec["paths"], key=lambda name: name.count("{")):
        parts, wanted = path.split("/"), template.split("/")
        if len(parts) == len(wanted) and all(a == b or b.startswith("{") for a, b in zip(parts, wanted, strict=True)):
            operation = spec["paths"][template].get(method.lower())
            if operation:
                return f"{method} {template}", operation
    assert f"{method} {path}".startswith(OUTSIDE), path
    return None


def typed(spec: Spec, schema: Spec, value: Any) -> Any:
    """A form's text as what the schema wants it to be."""
    schema = resolved(spec, schema)
    for option in schema.get("anyOf", []):
        found = typed(spec, option, value)
        if not list(validator(spec, option).iter_errors(found)):
            return found
    kind = schema.get("type")
    if kind == "object" and isinstance(value, dict):
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        other = rest if isinstance(rest, dict) else {}
        return {name: typed(spec, known.get(name, other), one) for name, one in value.items()}
    if kind == "array" and isinstance(value, list):
        return [typed(spec, schema.get("items", {}), one) for one in value]
    if kind == "integer" and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def resolved(spec: Spec, schema: Spec) -> Spec:
    while "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` in JSON Schema's words."""
    if isinstance(schema, list):
        return [nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: nullable(one) for name, one in schema.items() if name != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if schema.get("nullable") is True else inner


def validator(spec: Spec, schema: Spec) -> Any:
    whole = nullable({**schema, "components": spec["components"]})
    return jsonschema.Draft7Validator(whole)


def faults_of(spec: Spec, exchange: Exchange) -> list[str]:
    """What is wrong with a call or its answer, by the spec."""
    found = operation_of(spec, exchange)
    if found is None:
        return _outside(spec, exchange)
    name, operation = found
    split = urlsplit(exchange.request.path_url)
    query, body = decoded(parse_qsl(split.query)), exchange.request.body or ""
    faults = [f"{name}: {word} is no parameter" for word in query if word not in _query_names(operation)]
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and parameter["name"] in query:
            value = typed(spec, parameter["schema"], query[parameter["name"]])
            faults += errors_of(spec, parameter["schema"], value, f"{name} ?{parameter['name']}")
    form = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded")
    if form and body:
        text = body if isinstance(body, str) else body.decode()
        sent = typed(spec, form["schema"], decoded(parse_qsl(text, keep_blank_values=True)))
        faults += errors_of(spec, form["schema"], sent, f"{name} form")
    answers = operation["responses"].get(str(exchange.status), operation["responses"]["default"])
    schema = answers["content"]["application/json"]["schema"]
    return faults + errors_of(spec, schema, json.loads(exchange.body), f"{name} -> {exchange.status}")


def _outside(spec: Spec, exchange: Exchange) -> list[str]:
    """By the library's parameters, and what is answered by the spec's object or the library's."""
    split = urlsplit(exchange.request.path_url)
    is_charge = exchange.request.method == "POST"
    sent = str(exchange.request.body) if is_charge else split.query
    asked = PaymentIntentCreateParams if is_charge else CustomerPaymentMethodListParams
    name = f"{exchange.request.method} {split.path.rsplit('/', 1)[1]}"
    faults = [
        f"{name}: {word} is no parameter" for word in decoded(parse_qsl(sent)) if word not in asked.__annotations__
    ]
    told = json.loads(exchange.body)
    if exchange.status != 200:
        return faults + errors_of(spec, spec["components"]["schemas"]["error"], told, name)
    if is_charge:
        return faults + errors_of(spec, spec["components"]["schemas"]["payment_intent"], told, name)
    known = stripe.PaymentMethod.__annotations__
    return faults + [f"{name}: {key} is no key" for one in told["data"] for key in one if key not in known]


def _query_names(operation: Spec) -> set[str]:
    return {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}


def errors_of(spec: Spec, schema: Spec, value: Any, where: str) -> list[str]:
    """What the schema has against a value."""
    found = validator(spec, schema).iter_errors(value)
    return [f"{where}: {'/'.join(map(str, error.path))}: {error.message[:200]}" for error in found]
