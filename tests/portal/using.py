"""A team that has used models: made-up requests with a charge each, their ledger entries, a key with a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.people import People
from tokenboard.core.clock import midnight, today
from tokenboard.core.db import db, new_id
from tokenboard.keys.models import VirtualKey
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.usage_service import ingest

_numbers: Iterator[int] = iter(range(10**9))


@dataclass(frozen=True)
class Using:
    """Who used it, and under which key."""

    people: People
    key_id: str

    def use(self, count: int = 1, **more: object) -> None:
        """So many requests alike, one after the other, today."""
        facts = [self.fact(midnight(today()) + timedelta(seconds=next(_numbers)), **more) for _ in range(count)]
        with self.people.app.app_context():
            ingest(records=facts)
            db.session.commit()

    def fact(self, at: datetime, **more: object) -> UsageFact:
        told: dict = {
            "dedupe_key": f"litellm:made-{next(_numbers)}",
            "workspace_id": self.people.team_id,
            "source": "key",
            "model": "gpt-4o",
            "status": "ok",
            "occurred_at": at,
            "person_id": self.people.bob.id,
            "key_id": self.key_id,
            "prompt_tokens": 1_000,
            "cached_tokens": 200,
            "completion_tokens": 100,
            "credits_micros": 350_000,
            "cost_nano_usd": 3_500_000,
            "markup": "1",
            "latency_ms": 2_100,
            "first_token_ms": 400,
        }
        return UsageFact(**(told | more))


def make_key(people: People, name: str = "build bot") -> str:
    facts = {"workspace_id": people.team_id, "person_id": people.bob.id, "client_key": new_id()}
    with people.app.app_context():
        key = VirtualKey(name=name, models=[], **facts)
        db.session.add(key)
        db.session.commit()
        return key.id


def team_browser(people: People, someone):
    """A browser with the team's workspace chosen."""
    browser = people.browser(someone)
    with browser.client.session_transaction() as session:
        session["workspace_id"] = people.team_id
    return browser
