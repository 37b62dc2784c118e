"""Words for the stories of spend: records as the proxy reports them, and what they left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from tests.people import People
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import spend_service
from tokenboard.keys.models import MirrorTarget
from tokenboard.keys.rules import secret_hash
from tokenboard.ledger import queries as ledger
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.providers.litellm_objects import SpendRecord
from tokenboard.providers.litellm_records import callback_record
from tokenboard.workspaces.models import Workspace

_numbers: Iterator[int] = iter(range(10**9))
HOUSE_KEY = secret_hash("sk-house")


def payload(key_hash: str = "", **more: Any) -> dict[str, Any]:
    """One payload of the callback: a success of 30,000 nano-USD, as our price has it, unless said otherwise."""
    at = more.pop("at", None) or now()
    error_code = more.pop("error_code", None)
    row = {
        "id": f"chatcmpl-{next(_numbers)}",
        "litellm_call_id": "",
        "status": "success",
        "model_group": "gpt-4o",
        "prompt_tokens": 12,
        "completion_tokens": 0,
        "response_cost": 0.00003,
        "startTime": at.timestamp(),
        "endTime": at.timestamp() + 1.5,
        "end_user": "",
        "metadata": {"user_api_key_hash": key_hash},
    }
    if error_code is not None:
        row["error_information"] = {"error_code": error_code}
    return row | more


def logged(row: dict[str, Any]) -> dict[str, Any]:
    """The same request as `/spend/logs/v2` shows it."""
    metadata = {"error_information": row.get("error_information")}
    times = {name: datetime.fromtimestamp(row[name], now().tzinfo).isoformat() for name in ("startTime", "endTime")}
    kept = {name: row[name] for name in ("status", "model_group", "prompt_tokens", "completion_tokens", "end_user")}
    hashed = row["metadata"]["user_api_key_hash"]
    named = {"request_id": row["id"], "litellm_call_id": row["litellm_call_id"], "api_key": hashed, "user": ""}
    return kept | times | named | {"spend": row["response_cost"], "metadata": metadata}


def record(key_hash: str = "", **more: Any) -> SpendRecord:
    return callback_record(json.loads(json.dumps(payload(key_hash, **more)), parse_float=Decimal))


def book(*records: SpendRecord, feed: str = "callback") -> dict[str, int]:
    """As a door does: book, commit."""
    counts = spend_service.book(records=records, feed=feed, house_hashes=frozenset({HOUSE_KEY}))
    db.session.commit()
    return counts


def posted(workspace_id: str) -> int:
    """A workspace's credits, in micro-credits."""
    wallet = db.session.get_one(Workspace, workspace_id).ledger_account_id
    found = ledger.balance(wallet).posted_micros
    db.session.rollback()
    return found


def usage(shop: People) -> Sequence[UsageRecord]:
    return db.session.scalars(select(UsageRecord).order_by(UsageRecord.dedupe_key)).all()


def booked(kind: str, subject: str) -> int:
    found = select(func.coalesce(func.sum(MirrorTarget.booked_nano), 0))
    return int(db.session.scalar(found.where(MirrorTarget.kind == kind, MirrorTarget.subject == subject)) or 0)
