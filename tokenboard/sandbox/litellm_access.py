"""Who may ask the sandbox's LiteLLM, and what a virtual key still may.

The master keys are `sk-sandbox` and `sk-sandbox-master`, and every key that begins with `sk-sandbox-` chats as they do;
all others must have been made by `/key/generate`. As seen on 1.106.2: a key is refused from its budget on, a user and a
customer only past it, so that a budget of 0 lets one more request of theirs through.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Response

from tokenboard.sandbox.litellm_shapes import refused
from tokenboard.sandbox.litellm_world import Row, World
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.spend_log import key_hash

MASTER_KEY = "sk-sandbox"
ADMIN_KEYS = (MASTER_KEY, f"{MASTER_KEY}-master")
DB_DOWN = "litellm_db_down"
_NO_DATABASE = "Can't reach database server at `127.0.0.1`:`5432`"


def is_database_down() -> bool:
    return sandbox().store.setting(DB_DOWN) is not None


def no_database(path: str) -> Response:
    """How the admin API says it: `/key/update` has a way of its own."""
    if path.endswith("/key/update"):
        return refused(400, f"Authentication Error, {_NO_DATABASE}", "auth_error", param="None")
    return refused(500, _NO_DATABASE, "internal_server_error")


def key_problem(key: str) -> Response | None:
    """The proxy's refusal of this key, or None."""
    if not key:
        return refused(401, "Authentication Error, No api key passed in.", "auth_error", param="None")
    if key == MASTER_KEY or key.startswith(f"{MASTER_KEY}-"):
        return None
    found = World(sandbox().store).key(key_hash(key))
    if found is None:
        return _unknown(key)
    if is_database_down() and not found["last_active"]:
        return refused(503, "Service Unavailable, no database connection", "no_db_connection", param="None")
    return _not_now(found)


def _unknown(key: str) -> Response:
    words = (
        "Authentication Error, Invalid proxy server token passed. Received API Key = sk-..., Key Hash (Token) ="
        f"{key_hash(key)}. Unable to find token in cache or `LiteLLM_VerificationTokenTable`"
    )
    return refused(401, words, "token_not_found_in_db", param="key")


def _not_now(key: Row) -> Response | None:
    """Blocked or expired."""
    if key["blocked"]:
        words = "Authentication Error, Key is blocked. Update via `/key/unblock` if you're an admin."
        return refused(401, words, "auth_error", param="None")
    at = sandbox().now()
    if key["expires"] and datetime.fromisoformat(key["expires"]) < at:
        words = f"Authentication Error - Expired Key. Key Expiry time {key['expires']} and current time {at}"
        return refused(401, words, "expired_key", param=key["key_name"])
    return None


def admin_problem(key: str) -> Response | None:
    """Only a master key opens the admin API."""
    if key in ADMIN_KEYS:
        return None
    problem = key_problem(key)
    if problem is not None:
        return problem
    words = "Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users."
    return refused(401, words, "auth_error", param="None")


def spending_problem(secret: str, model: str, end_user: str) -> Response | None:
    """What a known key may not ask any more: the model, the budgets of key, user and customer, the rate."""
    world = World(sandbox().store)
    key = world.key(key_hash(secret))
    found = None
    if key is not None:
        found = _model(key, model) or _key_budget(key) or _user_budget(world, key) or _rate(world, key)
    return found or _customer_budget(world, end_user)


def _model(key: Row, model: str) -> Response | None:
    if not key["models"] or model in key["models"]:
        return None
    words = (
        f"The requested model '{model}' is not available for this API key, or the model name is invalid."
        " Check the models available to you and try again."
    )
    return refused(403, words, "key_model_access_denied", param="model")


def _key_budget(key: Row) -> Response | None:
    if key["max_budget"] is None or Decimal(str(key["spend"])) < Decimal(str(key["max_budget"])):
        return None
    name = f"Key={key['key_alias'] or 'key'} ({key['key_name']})"
    words = f"Budget has been exceeded! {name} Current cost: {key['spend']}, Max budget: {key['max_budget']}"
    return refused(422, words, "budget_exceeded")


def _user_budget(world: World, key: Row) -> Response | None:
    user = world.user(key["user_id"] or "")
    if user is None or not _is_over(user["spend"], user["max_budget"]):
        return None
    words = f"ExceededBudget: User={user['user_id']} over budget. Spend={user['spend']}, Budget={user['max_budget']}"
    return refused(422, words, "budget_exceeded")


def _customer_budget(world: World, end_user: str) -> Response | None:
    customer = world.customer(end_user) if end_user else None
    budget = customer["litellm_budget_table"] if customer else None
    if customer is None or budget is None or not _is_over(customer["spend"], budget["max_budget"]):
        return None
    words = f"ExceededBudget: End User={end_user} over budget. Spend={customer['spend']}, Budget={budget['max_budget']}"
    return refused(422, words, "budget_exceeded")


def _is_over(counted: Any, most: Any) -> bool:
    return most is not None and Decimal(str(counted)) > Decimal(str(most))


def _rate(world: World, key: Row) -> Response | None:
    if key["rpm_limit"] is None:
        return None
    minute = sandbox().now().strftime("%Y-%m-%dT%H:%M")
    if world.store.count(f"rpm|{key['token']}|{minute}") <= key["rpm_limit"]:
        return None
    words = (
        f"Rate limit exceeded for api_key: {key['token']}. Limit type: requests. Current limit: {key['rpm_limit']},"
        f" Remaining: 0. Limit resets at: {minute}:59 UTC"
    )
    return refused(429, words, "throttling_error", retry_after="60")
