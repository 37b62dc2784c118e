"""Samples of the routes about usage and its books: one request of the team, months long past."""

from __future__ import annotations

from tests.house.sampled import Sampled
from tests.people import People
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.usage_service import ingest


def usage_samples(people: People) -> dict[str, Sampled]:
    """By the map's own spelling."""
    team = {"workspaceId": people.team_id}
    return {
        "GET /api/usage/summary": Sampled(query=team, names_workspace=True),
        "GET /api/usage/logs": Sampled(query=team, names_workspace=True),
        "GET /usage/requests/:id": Sampled((_request(people),), names_workspace=True),
        "POST /admin/books/close": Sampled(form={"month": "2024-01"}),
        "POST /api/admin/books/close": Sampled(json={"month": "2024-02"}),
    }


def _request(people: People) -> str:
    key = f"litellm:{new_id()}"
    fact = UsageFact(key, people.team_id, "key", "gpt-4o", "ok", now(), prompt_tokens=9, completion_tokens=4)
    with people.app.app_context():
        ingest(records=[fact])
        db.session.commit()
        return db.session.scalars(db.select(UsageRecord.id).where(UsageRecord.dedupe_key == key)).one()
