"""The sandbox's spend log: one row a call, with the fields of LiteLLM's `/spend/logs/v2`.

As seen on 1.106.2: `request_id` is the answer's id for what went well and for a client that left (status `success`,
error 499, tokens estimated from what was sent), and the call id for what failed; a repeated one is skipped, not
updated. The real proxy writes 5–15 s after the call; here the row is there at once, and its admin
API shows it as late as the control API says.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tokenboard.sandbox.chat_models import ChatModel
from tokenboard.sandbox.litellm_world import World
from tokenboard.sandbox.store import Store

LEFT = {
    "error_code": "499",
    "error_class": "ClientDisconnected",
    "error_message": "Client disconnected the request",
}


def instant(at: datetime) -> str:
    """As LiteLLM writes it: UTC, milliseconds, an offset."""
    return at.isoformat(timespec="milliseconds")


def key_hash(key: str) -> str:
    """What LiteLLM keeps of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


_MASTER_HASH = key_hash("sk-sandbox")


def row(
    *,
    request_id: str,
    call_id: str,
    key: str,
    model: ChatModel,
    end_user: str,
    started: datetime,
    ended: datetime,
    first_at: datetime | None,
    cost: Decimal,
    usage: Mapping[str, Any],
    status: str = "success",
    error: Mapping[str, Any] | None = None,
    spend_logs_metadata: object = None,
    call_type: str = "acompletion",
) -> dict[str, Any]:
    """A whole row. `metadata` holds what TokenBoard reads of it, not the 10 KB around it."""
    hashed = key_hash(key)
    metadata = {
        "status": "failure" if status == "failure" else None,
        "usage_object": dict(usage),
        "user_api_key": hashed,
        "user_api_key_alias": None,
        "user_api_key_user_id": "",
        "user_api_key_team_id": None,
        "litellm_call_id": call_id,
        "attempted_retries": 0,
        "error_information": None if error is None else dict(error),
        "cost_breakdown": {"total_cost": float(cost), "original_cost": float(cost)},
        "spend_logs_metadata": spend_logs_metadata,
        "original_model_group": model.name,
        "requester_ip_address": "127.0.0.1",
    }
    return {
        "request_id": request_id,
        "call_type": call_type,
        "api_key": hashed,
        "spend": float(cost),
        "total_tokens": usage.get("total_tokens", 0),
        "prompt_tokens": usage.get("prompt_tokens", 0),
        "completion_tokens": usage.get("completion_tokens", 0),
        "startTime": instant(started),
        "endTime": instant(ended),
        "completionStartTime": instant(first_at or ended),
        "model": f"sandbox/{model.name}",
        "model_id": model.id,
        "model_group": model.name,
        "custom_llm_provider": "sandbox",
        "api_base": "",
        "user": "",
        "metadata": metadata,
        "cache_hit": "False",
        "cache_key": "Cache OFF",
        "request_tags": [],
        "team_id": "",
        "organization_id": "",
        "end_user": end_user,
        "requester_ip_address": "127.0.0.1",
        "session_id": str(uuid.uuid4()),
        "status": status,
        "mcp_namespaced_tool_name": None,
        "agent_id": None,
        "litellm_call_id": call_id,
        "request_duration_ms": round((ended - started).total_seconds() * 1000),
    }


class SpendLog:
    """The rows, in the sandbox's file."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, told: dict[str, Any]) -> None:
        """Keep a row, count what it cost, tell the callback; one with the same request id is kept already."""
        self._name(told)
        with self._store.opened() as db:
            done = db.execute(
                "INSERT OR IGNORE INTO spend (request_id, call_id, api_key, user, end_user, model_group, status,"
                " started_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(told[name] for name in ("request_id", "litellm_call_id", "api_key", "user", "end_user")),
                    *(told[name] for name in ("model_group", "status", "startTime")),
                    json.dumps(told),
                ),
            )
        if done.rowcount == 1:
            World(self._store).count(told, datetime.fromisoformat(told["endTime"]))
            for hear in self._store.spend_heard:
                hear(told)

    def _name(self, told: dict[str, Any]) -> None:
        """Whose key it is, where the proxy has made it."""
        key = None if told["api_key"] == _MASTER_HASH else World(self._store).key(told["api_key"])
        if key is not None:
            told["user"] = key["user_id"] or ""
            named = {"user_api_key_alias": key["key_alias"], "user_api_key_user_id": told["user"]}
            told["metadata"] = told["metadata"] | named

    def rows(self, **wanted: str) -> list[dict[str, Any]]:
        """Rows with these values in request_id, call_id, api_key, user, end_user, model_group or status, by start."""
        unknown = set(wanted) - {"request_id", "call_id", "api_key", "user", "end_user", "model_group", "status"}
        if unknown:
            raise ValueError(f"the spend log has no {', '.join(sorted(unknown))}")
        where = " AND ".join(f"{name} = ?" for name in wanted) or "1"
        with self._store.opened() as db:
            query = f"SELECT body FROM spend WHERE {where} ORDER BY started_at, number"  # noqa: S608 - names checked
            return [json.loads(body) for (body,) in db.execute(query, tuple(wanted.values()))]
