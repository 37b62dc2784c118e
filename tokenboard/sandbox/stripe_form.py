"""Reads what Stripe's clients send: nested forms (`line_items[0][price]=…`), and the parameters each call knows.

A parameter nobody knows is refused by name, as Stripe does: a call that works here was not misspelt.
Source of the names: the spec of API version 2026-10-28.endive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Params = dict[str, Any]

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_MINOR_UNITS_MAX = 99_999_999

_PAGED = "limit starting_after ending_before expand"
KNOWN: dict[str, frozenset[str]] = {
    name: frozenset(names.split())
    for name, names in {
        "POST /checkout/sessions": "adaptive_pricing after_expiration allow_promotion_codes automatic_tax cancel_url"
        " allowed_payment_method_types billing_address_collection client_reference_id consent_collection currency"
        " customer customer_creation customer_email customer_update custom_text discounts expand expires_at"
        " excluded_payment_method_types invoice_creation line_items locale metadata mode payment_intent_data"
        " payment_method_collection payment_method_configuration saved_payment_method_options submit_type"
        " subscription_data success_url return_url tax_id_collection ui_mode",
        "GET /checkout/sessions": f"{_PAGED} created customer customer_details payment_intent status subscription",
        "POST /billing_portal/sessions": "configuration customer expand flow_data locale return_url",
        "POST /customers": "address description email expand invoice_settings metadata name phone preferred_locales",
        "GET /customers": f"{_PAGED} created email",
        "POST /products": "active default_price_data description expand id images metadata name url",
        "GET /products": f"{_PAGED} active created ids",
        "POST /products/id": "active default_price description expand metadata name url",
        "POST /prices": "active billing_scheme currency expand lookup_key metadata nickname product product_data"
        " recurring tax_behavior tiers tiers_mode unit_amount",
        "GET /prices": f"{_PAGED} active created currency lookup_keys product recurring type",
        "POST /prices/id": "active expand lookup_key metadata nickname tax_behavior transfer_lookup_key",
        "GET /subscriptions": f"{_PAGED} created customer price status",
        "POST /subscriptions/id": "billing_cycle_anchor cancel_at_period_end cancellation_details expand items metadata"
        " pause_collection payment_behavior proration_behavior trial_end default_payment_method",
        "DELETE /subscriptions/id": "cancellation_details expand invoice_now prorate",
        "GET /invoices": f"{_PAGED} created customer status subscription",
        "GET /invoice_payments": f"{_PAGED} created invoice payment status",
        "POST /refunds": "amount charge expand metadata payment_intent reason",
        "GET /refunds": f"{_PAGED} charge created payment_intent",
        "POST /payment_intents": "amount automatic_payment_methods confirm currency customer description expand"
        " metadata off_session payment_method payment_method_types receipt_email statement_descriptor_suffix",
        "GET /payment_intents": f"{_PAGED} created customer",
        "GET /charges": f"{_PAGED} created customer payment_intent",
        "GET /disputes": f"{_PAGED} charge created payment_intent",
        "GET /events": f"{_PAGED} created delivery_success type types",
        "GET page": _PAGED,
        "GET methods": f"{_PAGED} type",
        "expand": "expand",
        "POST /webhook_endpoints": "api_version description enabled_events expand metadata url",
        "POST /coupons": "amount_off currency duration expand id metadata name percent_off",
        "POST /promotion_codes": "active code expand promotion metadata",
        "none": "",
    }.items()
}


class Refusal(Exception):
    """Stripe's refusal: the answer's status and what stands in its `error`."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, **{name: value for name, value in more.items() if value}}


def unknown_object(kind: str, object_id: str, param: str = "id") -> Refusal:
    """404: there is no such thing."""
    return Refusal(404, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)


def missing(param: str) -> Refusal:
    return Refusal(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def decoded(pairs: Iterable[tuple[str, str]]) -> Params:
    """The nested parameters behind a form's pairs."""
    tree: Params = {}
    for name, value in pairs:
        found = _KEY.fullmatch(name)
        if found is None:
            raise Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        _place(tree, path, value)
    return {name: _lists(value) for name, value in tree.items()}


def _place(tree: Params, path: list[str], value: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise Refusal(400, "Invalid nesting of parameters.", param=path[0])
    last = path[-1] or str(len(tree))
    tree[last] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(inner) for name, inner in value.items()}


def check_known(call: str, params: Params) -> None:
    """Raises: Refusal for the first parameter this call does not know."""
    for name in params:
        if name not in KNOWN[call]:
            message = f"Received unknown parameter: {name}"
            raise Refusal(400, message, code="parameter_unknown", param=name)


def whole(params: Params, name: str, *, least: int = 0, most: int = _MINOR_UNITS_MAX) -> int | None:
    """A whole number, or None when it is not given."""
    text = params.get(name)
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not re.fullmatch(r"-?[0-9]{1,12}", text):
        raise Refusal(400, f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    if not least <= int(text) <= most:
        raise Refusal(400, f"{name} must be between {least} and {most}.", param=name)
    return int(text)


def flag(params: Params, name: str) -> bool | None:
    text = params.get(name)
    if text in (None, ""):
        return None
    if text not in ("true", "false"):
        raise Refusal(400, f"Invalid boolean: {text}", param=name)
    return bool(text == "true")


def merged(known: dict[str, str], params: Params) -> dict[str, str]:
    """An object's metadata after an update: an empty value takes a key away."""
    given = params.get("metadata") or {}
    return {key: str(value) for key, value in (known | given).items() if value != ""}


def choice(params: Params, name: str, allowed: tuple[str, ...], default: str) -> str:
    given = str(params.get(name, default))
    if given not in allowed:
        raise Refusal(400, f"Invalid {name}: must be one of {', '.join(allowed)}", param=name)
    return given
