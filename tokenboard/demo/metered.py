"""The demo's metered use: keys, credits bought and used, conversations; told from where it stopped up to this hour.

Laws: everything goes through the ledger's, the keys' and metering's own functions, at past instants
(`clock.standing_at`), so that wallet, statement, usage and books agree as real ones do; what was told once is never
told again or otherwise; entries follow each other in time, also where somebody has used the demo meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from tokenboard.accounts.models import Person
from tokenboard.chat import conversation_service
from tokenboard.chat.models import Conversation
from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.demo import cast, charging, talking, traffic
from tokenboard.demo.cast import Cast
from tokenboard.demo.talks import TALKS, Talk
from tokenboard.demo.traffic import Slot
from tokenboard.keys import key_service, using
from tokenboard.ledger import queries as ledger_queries, service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.usage_service import LARGEST_BATCH, ingest
from tokenboard.metering.worth import micros_of_cents
from tokenboard.web.filters import credit_amount
from tokenboard.workspaces.models import Workspace

DAYS = 45
_MOST_DAYS = 90  # that are caught up with; older ones stay quiet
_GIFT_CENTS, _PACK_CENTS, _LEAST_CENTS = 150, 1_000, 200
_PAUSED_AGO = timedelta(days=9)
_SOMEWHERE = "198.51.100.0/24"  # kept for documentation: nobody's


@dataclass(frozen=True, slots=True)
class _Story:
    """What is to be told: of whom, from when, and which conversations come in between."""

    cast: Cast
    since: datetime
    until: datetime
    talks: tuple[Talk, ...]
    # The wallet's newest entry: nothing is written before it.
    newest: datetime | None

    def at(self, instant: datetime) -> datetime:
        return max(instant, self.newest) if self.newest else instant


def tell(*, workspace: Workspace, owner: Person) -> None:
    """Write what was used since it was told last. Idempotent: a slot of six hours is told once."""
    assert workspace.is_demo  # made-up use never enters a real workspace
    db.session.execute(sa.select(Workspace.id).where(Workspace.id == workspace.id).with_for_update())
    story = _story(workspace, owner)
    slots = [story.cast.cut(slot) for slot in traffic.slots(story.since, until=story.until)]
    charging.count_windows(story.cast, [one for slot in slots for one in slot.requests])
    facts: list[UsageFact] = []
    for slot in slots:
        _buy(story, slot)
        _talk(story, slot)
        facts += _use(story, slot)
    for start in range(0, len(facts), LARGEST_BATCH):
        ingest(records=facts[start : start + LARGEST_BATCH])
    _note_use(story.cast, {one.key: one.at for slot in slots for one in slot.requests if one.key})


def _story(workspace: Workspace, owner: Person) -> _Story:
    until, last = clock.now(), _told_until(workspace.id)
    if last is None:
        since = clock.midnight(until.date() - timedelta(days=DAYS - 1))
        people = cast.gather(workspace=workspace, owner=owner, at=since, paused_at=until - _PAUSED_AGO)
        return _Story(people, since, until, TALKS, _newest(workspace))
    since = max(last, clock.midnight(until.date() - timedelta(days=_MOST_DAYS)))
    return _Story(cast.again(workspace=workspace, owner=owner), since, until, (), _newest(workspace))


def _told_until(workspace_id: str) -> datetime | None:
    """The end of the last slot that was told: the one that holds the newest request of ours."""
    ours = UsageRecord.dedupe_key.startswith(f"{charging.PREFIX}:", autoescape=True)
    told = sa.select(UsageRecord.occurred_at).where(UsageRecord.workspace_id == workspace_id, ours)
    newest = db.session.scalar(told.order_by(UsageRecord.occurred_at.desc()).limit(1))
    if newest is None:
        return None
    midnight = clock.midnight(newest.date())
    return midnight + ((newest - midnight) // traffic.SLOT + 1) * traffic.SLOT


def _newest(workspace: Workspace) -> datetime | None:
    lines = ledger_queries.statement(workspace.ledger_account_id, limit=1, with_zeros=True).lines
    return lines[0].created_at if lines else None


def _buy(story: _Story, slot: Slot) -> None:
    """Packs whenever the credits run low. No payment stands behind them: no provider knows of it."""
    wallet_id = story.cast.workspace.ledger_account_id
    is_first = slot.start == story.since and bool(story.talks)
    with clock.standing_at(story.at(slot.start)):
        if is_first:
            _grant(wallet_id, _GIFT_CENTS, Category.PROMOTIONAL, House.PROMOTIONS, "demo:gift")
        left = ledger_queries.balance(wallet_id).available_micros - charging.needed_micros(slot.requests)
        packs = -(-(micros_of_cents(_LEAST_CENTS) - left) // micros_of_cents(_PACK_CENTS))
        if packs > 0:
            key = f"demo:bought:{slot.start:%Y-%m-%dT%H}"
            _grant(wallet_id, packs * _PACK_CENTS, Category.PAID, House.SALES_STRIPE, key)


def _grant(wallet_id: str, cents: int, category: Category, house: House, key: str) -> None:
    micros = micros_of_cents(cents)
    ledger.grant(
        wallet_id=wallet_id,
        amount_micros=micros,
        category=category,
        house=house,
        key=key,
        description="Welcome credits" if house is House.PROMOTIONS else f"{credit_amount(micros)} credits",
        source=key,
    )


def _talk(story: _Story, slot: Slot) -> None:
    for talk in story.talks:
        at = story.until - talk.ago
        if slot.start <= at < slot.end:
            reader, colleague = story.cast.owner.id, story.cast.people[traffic.MIRA]
            talking.tell(talk=talk, at=at, workspace=story.cast.workspace, reader_id=reader, colleague_id=colleague)


def _use(story: _Story, slot: Slot) -> list[UsageFact]:
    with clock.standing_at(story.at(slot.last_instant)):
        return charging.charge(story.cast, slot.requests)


def _note_use(people: Cast, used: Mapping[str, datetime]) -> None:
    for name, at in used.items():
        with clock.standing_at(at):
            using.note_use(people.keys[name], network=_SOMEWHERE)


def put_away(*, workspace: Workspace, actor: Person) -> None:
    """End the keys and erase the conversations; records and entries stay with the archived workspace. Idempotent."""
    key_service.revoke_all(workspace_id=workspace.id, actor=actor.id)
    for conversation in _conversations(workspace.id):
        conversation_service.delete(conversation=conversation)


def _conversations(workspace_id: str) -> Iterator[Conversation]:
    found = sa.select(Conversation).where(Conversation.workspace_id == workspace_id, Conversation.deleted_at.is_(None))
    yield from list(db.session.scalars(found.order_by(Conversation.id)))
