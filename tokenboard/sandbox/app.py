"""The sandbox's application: key first, then ordered faults and scripts, then the provider's own module."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask, Response, g, request

from tokenboard.core import clock as core_clock
from tokenboard.sandbox import (
    anthropic_admin,
    chat_models,
    chat_scripts,
    control,
    hosted,
    keys,
    litellm_admin,
    litellm_admin_people,
    litellm_admin_spend,
    litellm_callback,
    litellm_chat,
    litellm_control,
    openai_admin,
    openai_names,
    payment_faults,
    payments,
    paystack_api,
    paystack_control,
    paystack_pages,
    stripe_account_pages,
    stripe_api,
    stripe_control,
    stripe_pages,
    stripe_payments,
    webhooks_control,
)
from tokenboard.sandbox.faults import FAULTS, NAMES_WORDS, SCOPE_WORDS, SESSION_WORDS, answer, error
from tokenboard.sandbox.memory import EXTENSION, Sandbox, bearer, sandbox
from tokenboard.sandbox.store import Store

FAULT_HEADER = "X-Sandbox-Fault"
_EMPTY_PAGE = {"object": "page", "data": [], "has_more": False, "next_page": None}


_PAYMENT_DOORS = (
    hosted,
    stripe_api,
    stripe_pages,
    stripe_account_pages,
    stripe_control,
    paystack_api,
    paystack_pages,
    paystack_control,
    webhooks_control,
)
_CHAT_DOORS = (litellm_chat, litellm_control, litellm_admin, litellm_admin_people, litellm_admin_spend)


def create_sandbox(
    database: Path,
    clock: Callable[[], datetime] = core_clock.now,
    *,
    webhooks_to: str = "",
    chat_pace_seconds: float = 0.02,
    callback_seconds: float = 0,
) -> Flask:
    """The sandbox over its own SQLite file. `clock` is asked for the time until the control API sets another.

    `webhooks_to` is the base URL of the house that wants the payment providers' webhooks and LiteLLM's callback.
    `chat_pace_seconds` lie between two chunks of an answer, `callback_seconds` between two deliveries; tests take 0.
    """
    app = Flask("tokenboard.sandbox", static_folder=None)
    app.extensions[EXTENSION] = Sandbox(Store(database), clock, chat_pace_seconds)
    app.before_request(_admit)
    payments.init_app(app, webhooks_to)
    litellm_callback.init_app(app, webhooks_to, callback_seconds)
    for module in (openai_admin, openai_names, anthropic_admin, control, *_PAYMENT_DOORS, *_CHAT_DOORS):
        app.register_blueprint(module.routes)
    app.add_url_rule("/", view_func=_index)
    app.register_error_handler(404, _nowhere)
    return app


def _index() -> Response:
    """What can be ordered here, from the docstrings of those who take the orders."""
    payment_doors = (webhooks_control, stripe_control, stripe_payments, paystack_control, payment_faults)
    doors = (keys, control, *payment_doors, litellm_control, chat_models, chat_scripts)
    text = "\n\n".join(door.__doc__ or "" for door in doors)
    return Response(text, content_type="text/markdown; charset=utf-8")


def _nowhere(_: Exception) -> Response:
    return error(_provider() or "openai", 404, f"Unknown request URL: {request.path}", "invalid_request_error")


def _provider() -> str | None:
    name = request.path.split("/")[1]
    return name if name in ("openai", "anthropic") else None


def _admit() -> Response | None:
    """What happens before the provider's own module sees a request."""
    provider = _provider()
    if provider is None:
        return None
    store = sandbox().store
    store.record_call(request.path, request.query_string.decode("ascii", "replace"))
    g.key = bearer() if provider == "openai" else request.headers.get("x-api-key", "")
    kind, g.traits = keys.read_key(provider, g.key)
    ordered = request.headers.get(FAULT_HEADER) or store.take_fault(request.path)
    if ordered in FAULTS and (fault := FAULTS[ordered](provider)):
        return fault
    return _refused(provider, kind) or _struck(provider) or _scripted()


def _refused(provider: str, kind: keys.Kind) -> Response | None:
    """A key that is unknown, or of the wrong kind for this address."""
    if kind == "unknown":
        return FAULTS["revoked"](provider)
    is_balance = request.path.endswith("/credit_grants")
    if is_balance and kind != "personal":
        return error(provider, 403, SESSION_WORDS, "server_error")
    if kind == "project" and provider == "anthropic":
        return FAULTS["revoked"](provider)
    if not is_balance and kind in ("project", "personal"):
        words = SCOPE_WORDS if "/costs" in request.path or "/usage" in request.path else NAMES_WORDS
        return error(provider, 403, words, "invalid_request_error")
    return None


def _struck(provider: str) -> Response | None:
    name = g.traits.fault_at(request.path)
    return FAULTS[name](provider) if name else None


def _scripted() -> Response | None:
    """A scripted page, word for word: the first, or the one after the page that gave this cursor."""
    pages = sandbox().store.script(g.key, request.path)
    if pages is None:
        return None
    cursor = request.args.get("page")
    if cursor is None:
        return answer(pages[0] if pages else _EMPTY_PAGE)
    given = [json.loads(page).get("next_page") for page in pages]
    position = given.index(cursor) + 1 if cursor in given else len(pages)
    return answer(pages[position] if position < len(pages) else _EMPTY_PAGE)
