"""October 2026, crafted so that each gap between the three books has one cause and a round number.

| | bill | metered | foreign | paid |
| --- | --- | --- | --- | --- |
| 3 Oct, gpt-4o | 10 | 6 at the gateway, 2 with a key | 1.50 | 6.60 and 2.20 |
| 3 Oct, images | 2 | | | |
| 20 Oct, gpt-4o | 8 | 9, and 0.50 that the house bears | | 9.90 |
| 20 Oct, o9-mini | 1 | one request at nothing: it has no price | | 0 |

The 2.20 were booked in November only; 7 credits were spent on 20 Oct by a program.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import time_machine

from tests.people import People
from tokenboard.core.clock import Month
from tokenboard.core.db import db, new_id
from tokenboard.costs.models import Connection, CostDay, CostTotal, SeenModel
from tokenboard.keys.spend_models import SpendLine
from tokenboard.ledger import service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import Spend
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.usage_service import ingest
from tokenboard.workspaces.models import Workspace

OCTOBER = Month(2026, 10)
D3, D20 = date(2026, 10, 3), date(2026, 10, 20)
AFTERWARDS = datetime(2026, 11, 10, 12, tzinfo=UTC)
CREDIT, USD = 1_000_000, 10**9


def craft(people: People) -> str:
    """Make it; the id of the house's connection. Commits."""
    connection_id = connect(people.ada.workspace_id)
    for day, amounts in (
        (D3, {"gpt-4o-2024-08-06, input": 5, "gpt-4o-2024-08-06, output": 5, "images": 2}),
        (D20, {"gpt-4o-2024-08-06, input": 8, "o9-mini, input": 1}),
    ):
        bill(connection_id, day, amounts)
    db.session.add_all(SeenModel(connection_id=connection_id, model=one) for one in ("gpt-4o-2024-08-06", "o9-mini"))
    _use(people)
    db.session.add(_foreign())
    db.session.commit()
    return connection_id


def connect(workspace_id: str) -> str:
    row = Connection(
        workspace_id=workspace_id,
        provider="openai",
        mode="organization",
        sealed_key="",
        key_fingerprint=new_id(),
        last4="0042",
        last_synced_at=AFTERWARDS,
        created_at=datetime(2026, 9, 1, tzinfo=UTC),
    )
    db.session.add(row)
    db.session.flush()
    # Read since September, so that days without a row are days without a cost.
    db.session.add(_day(row.id, date(2026, 9, 1), 0))
    return row.id


def bill(connection_id: str, day: date, usd: Mapping[str, float]) -> None:
    """What the provider bills for a day."""
    rows = [(item, int(amount * USD)) for item, amount in usd.items()]
    db.session.add(_day(connection_id, day, sum(nano for _, nano in rows)))
    for item, nano in rows:
        db.session.add(
            CostTotal(connection_id=connection_id, dimension="line_item", on=day, key=item, amount_nano=nano)
        )


def _day(connection_id: str, day: date, nano: int) -> CostDay:
    return CostDay(connection_id=connection_id, on=day, amount_nano=nano, first_seen_at=AFTERWARDS, seen_at=AFTERWARDS)


def _use(people: People) -> None:
    wallet = db.session.get_one(Workspace, people.team_id).ledger_account_id
    with _at(2026, 10, 1):
        ledger.grant(
            wallet_id=wallet,
            amount_micros=5_000 * CREDIT,
            category=Category.PAID,
            house=House.SALES_STRIPE,
            key="october",
        )
    with _at(2026, 10, 3):
        use(people, D3, cost=6, paid=660, source="gateway")
    with _at(2026, 11, 2):
        use(people, D3, cost=2, paid=220, model="openai/gpt-4o")
    with _at(2026, 10, 20):
        use(people, D20, cost=9, paid=990, source="chat")
        use(people, D20, cost=0, paid=0, model="o9-mini")
        use(people, D20, cost=0.5, paid=0, absorbed=50)
        ledger.spend(wallet_id=wallet, amount_micros=7 * CREDIT, key="program", source="wallet:api")


def _at(year: int, month: int, day: int) -> Any:
    return time_machine.travel(datetime(year, month, day, 12, tzinfo=UTC), tick=False)


def use(people: People, day: date, *, cost: float, paid: int, absorbed: int = 0, **more: Any) -> None:
    """One request, paid for now, whenever it was made."""
    key = f"litellm:{new_id()}"
    wallet = db.session.get_one(Workspace, people.team_id).ledger_account_id
    entry = None
    if paid:
        spends = [Spend(paid * CREDIT, key, "gpt-4o", key)]
        (entry,) = ledger.spend_batch(wallet_id=wallet, spends=spends, may_overdraw=True)
    if absorbed:
        ledger.absorb(amount_micros=absorbed * CREDIT, key=key, description="", source=key, is_demo=False)
    told: dict[str, Any] = {"source": "key", "model": "gpt-4o", "status": "ok"} | more
    fact = UsageFact(
        dedupe_key=key,
        workspace_id=people.team_id,
        occurred_at=datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        prompt_tokens=1_000,
        credits_micros=paid * CREDIT,
        cost_nano_usd=int(cost * USD),
        absorbed_micros=absorbed * CREDIT,
        transaction_id=entry.transaction_id if entry else None,
        **told,
    )
    ingest(records=[fact])


def _foreign() -> SpendLine:
    return SpendLine(
        request_key=new_id(),
        kind="foreign",
        feed="log",
        key_hash="ab" * 32,
        end_user="eve@example.com",
        model="gpt-4o",
        prompt_tokens=1,
        completion_tokens=1,
        cost_nano=int(1.5 * USD),
        is_success=True,
        error_code="",
        started_at=datetime(2026, 10, 3, 8, tzinfo=UTC),
        booked_at=AFTERWARDS,
    )
