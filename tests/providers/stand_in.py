"""A sandbox of its own for tests that order faults, move its clock or read its calls; and clients that never sleep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from tokenboard.core import clock
from tokenboard.providers.anthropic_client import AnthropicClient
from tokenboard.providers.http import PATIENT, Http, Patience
from tokenboard.providers.openai_client import OpenAIClient
from tokenboard.sandbox.app import create_sandbox
from tokenboard.sandbox.memory import EXTENSION
from tokenboard.sandbox.serving import serving

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)


@dataclass
class StandIn:
    """The sandbox as tests drive it."""

    app: Flask
    url: str
    slept_seconds: list[float] = field(default_factory=list)
    clients: list[Http] = field(default_factory=list)

    def http(self, patience: Patience = PATIENT) -> Http:
        """A door that notes its pauses instead of sleeping; no jitter."""
        made = Http(patience=patience, sleep=self.slept_seconds.append, jitter=lambda: 0.5)
        self.clients.append(made)
        return made

    def openai(self, key: str = "sk-admin-sandbox", patience: Patience = PATIENT) -> OpenAIClient:
        return OpenAIClient(key, f"{self.url}/openai/v1", self.http(patience))

    def anthropic(self, key: str = "sk-ant-admin-sandbox", patience: Patience = PATIENT) -> AnthropicClient:
        return AnthropicClient(key, f"{self.url}/anthropic", self.http(patience))

    def order(self, path: str, body: dict[str, Any]) -> None:
        """A call of the control API that must succeed."""
        answer = requests.post(f"{self.url}/_control/{path}", json=body, timeout=5)
        assert answer.status_code == 200, answer.text

    def script(self, pages: list[object], path: str = "/openai/v1/organization/costs") -> None:
        self.order("openai/script", {"path": path, "pages": pages})

    def calls(self) -> list[tuple[str, str]]:
        store = self.app.extensions[EXTENSION].store
        return store.calls()

    def get(self, path: str, key: str = "sk-admin-sandbox", **headers: str) -> requests.Response:
        """A bare call, as anyone may make it."""
        return requests.get(self.url + path, headers={"Authorization": f"Bearer {key}", **headers}, timeout=5)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    database: Path = tmp_path_factory.mktemp("stand-in") / "sandbox.sqlite3"
    app = create_sandbox(database, clock=lambda: NOW, chat_pace_seconds=0)
    with serving(app) as url:
        yield app, url


@pytest.fixture
def stand_in(served: tuple[Flask, str]) -> Iterator[StandIn]:
    """A sandbox that remembers nothing; its clock stands at NOW."""
    app, url = served
    app.extensions[EXTENSION].store.reset()
    driven = StandIn(app, url)
    yield driven
    for client in driven.clients:
        client.close()


def day(text: str) -> date:
    return date.fromisoformat(text)


def bucket_on(on: str, *results: dict[str, Any], name: str = "results") -> dict[str, Any]:
    """A day as OpenAI sends it."""
    start = clock.unix_seconds(day(on))
    return {"object": "bucket", "start_time": start, "end_time": start + 86_400, name: list(results)}


def page_of(*buckets: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    """A page as OpenAI sends it."""
    return {"object": "page", "data": list(buckets), "has_more": cursor is not None, "next_page": cursor}


def wait_for(found: Callable[[], list[dict[str, Any]]]) -> dict[str, Any]:
    """The first row, as soon as the sandbox has written it."""
    until = clock.monotonic() + 5
    while not (rows := found()):
        assert clock.monotonic() < until, "no row in time"
    return rows[0]
