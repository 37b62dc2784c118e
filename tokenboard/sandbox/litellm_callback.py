"""LiteLLM's logging callback: what was asked of the proxy, posted to the house every few seconds, in one array.

As seen on 1.106.2: no signature but a bearer, no second try after an answer, and what is lost stays lost; the log has
it all the same.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests
from flask import Flask

from tokenboard.sandbox.memory import EXTENSION as SANDBOX
from tokenboard.sandbox.store import Store

log = logging.getLogger(__name__)

EXTENSION = "tokenboard-sandbox-callback"
SECRET = "sandbox-callback"  # noqa: S105 - opens nothing but the house of this sandbox
PATH = "/api/webhooks/litellm"
LOST = "litellm_callback_loses"
_TIMEOUT_SECONDS = 5
_LARGEST_BATCH = 512


class Callback:
    """The queue in memory, as the proxy keeps it: gone with the process."""

    def __init__(self, store: Store, url: str, every_seconds: float, stopping: threading.Event) -> None:
        self._store, self._url, self._every_seconds, self._stopping = store, url, every_seconds, stopping
        self._waiting: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        """A request has ended. Every n-th is lost on the way when the control API says so."""
        every = int(self._store.setting(LOST) or 0)
        if not self._url or (every and self._store.count("callback") % every == 0):
            return
        with self._lock:
            self._waiting.append(payload(row))
        if self._every_seconds:
            self._start()

    def flush(self) -> int:
        """Post what waits; how many. What cannot be posted is gone."""
        with self._lock:
            batch, self._waiting = self._waiting[:_LARGEST_BATCH], self._waiting[_LARGEST_BATCH:]
        if batch:
            headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
            try:
                requests.post(self._url, data=json.dumps(batch), headers=headers, timeout=_TIMEOUT_SECONDS)
            except requests.RequestException as error:
                log.info("callback_lost", extra={"error": type(error).__name__, "records": len(batch)})
        return len(batch)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="litellm-callback", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            self.flush()


def payload(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the spend log as the callback tells it."""
    metadata = row["metadata"]
    times = {name: _unix(row[name]) for name in ("startTime", "endTime", "completionStartTime")}
    same = ("litellm_call_id", "session_id", "call_type", "model", "model_id", "model_group", "custom_llm_provider")
    counts = ("prompt_tokens", "completion_tokens", "total_tokens", "end_user", "api_base", "request_tags")
    told = {
        "user_api_key_hash": row["api_key"],
        "user_api_key_alias": metadata["user_api_key_alias"],
        "user_api_key_user_id": row["user"] or None,
        "user_api_key_end_user_id": row["end_user"] or None,
        "spend_logs_metadata": metadata["spend_logs_metadata"],
        "usage_object": metadata["usage_object"],
    }
    return (
        {name: row[name] for name in (*same, *counts)}
        | times
        | {
            "id": row["request_id"],
            "trace_id": row["session_id"],
            "status": row["status"],
            "response_cost": row["spend"],
            "response_time": times["completionStartTime"] - times["startTime"],
            "cost_breakdown": metadata["cost_breakdown"],
            "error_information": metadata["error_information"] or {},
            "metadata": told,
        }
    )


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def init_app(app: Flask, house: str, every_seconds: float) -> None:
    """`house` is the base URL that gets the deliveries; empty: none. 0 seconds: only when they are asked for."""
    sandbox = app.extensions[SANDBOX]
    url = house.rstrip("/") + PATH if house else ""
    callback = Callback(sandbox.store, url, every_seconds, sandbox.stopping)
    sandbox.store.spend_heard.append(callback.add)
    app.extensions[EXTENSION] = callback
