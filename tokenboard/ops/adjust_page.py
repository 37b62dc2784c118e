"""The adjustments page in finished texts: who was looked for, what waits for a second administrator, what was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.accounts.queries import people_by_id
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.ledger.glance_queries import posted_micros
from tokenboard.wallet import queries
from tokenboard.wallet.adjustment_rules import ALONE_MICROS, DAILY_CAP_MICROS, KEY_ACTOR
from tokenboard.wallet.credits_page import signed
from tokenboard.wallet.models import Adjustment
from tokenboard.wallet.queries import AdjustmentLine
from tokenboard.wallet.service import ASKED_KIND
from tokenboard.web.filters import credit_amount, number


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A workspace that can be chosen."""

    id: str
    name: str
    owner: str
    balance: str
    is_personal: bool


@dataclass(frozen=True, slots=True)
class AdjustmentRow:
    """One adjustment."""

    id: str
    at: datetime
    workspace: str
    workspace_id: str
    amount: str
    kind: str
    reason: str
    by: str
    decided_by: str
    state: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A workspace that asks for credits."""

    message: str
    href: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AdjustPage:
    """Everything on the page."""

    who: str
    targets: tuple[TargetLine, ...]
    waiting: tuple[AdjustmentRow, ...]
    done: tuple[AdjustmentRow, ...]
    asked: tuple[Request, ...]
    alone: str
    daily: str


def build(who: str, *, me: str) -> AdjustPage:
    """What was looked for, and both lists."""
    waiting, done = queries.adjustments(is_open=True), queries.adjustments(is_open=False)
    actors = {one.adjustment.actor for one in (*waiting, *done)} | {one.adjustment.decided_by for one in done}
    names = {person_id: person.name for person_id, person in people_by_id(actors).items()}
    return AdjustPage(
        who=who,
        targets=_targets(who),
        waiting=tuple(_row(one, names, me) for one in waiting),
        done=tuple(_row(one, names, me) for one in done),
        asked=_asked(),
        alone=number(ALONE_MICROS // MICROS_PER_CREDIT),
        daily=number(DAILY_CAP_MICROS // MICROS_PER_CREDIT),
    )


def _targets(who: str) -> tuple[TargetLine, ...]:
    found = queries.targets(who) if who.strip() else []
    posted = posted_micros(one.workspace.ledger_account_id for one in found) if found else {}
    return tuple(
        TargetLine(
            one.workspace.id,
            one.workspace.name,
            one.owner_email,
            credit_amount(posted[one.workspace.ledger_account_id]),
            one.workspace.is_personal,
        )
        for one in found
    )


def _row(one: AdjustmentLine, names: dict[str, str], me: str) -> AdjustmentRow:
    row = one.adjustment
    return AdjustmentRow(
        id=row.id,
        at=row.created_at,
        workspace=one.workspace_name,
        workspace_id=row.workspace_id,
        amount=signed(row.amount_micros),
        kind=row.kind,
        reason=row.reason,
        by=_name(row.actor, names),
        decided_by="" if row.decided_by == row.actor else _name(row.decided_by, names),
        state=row.state,
        is_mine=row.actor == me,
    )


def _name(actor: str, names: dict[str, str]) -> str:
    return "admin key" if actor == KEY_ACTOR else names.get(actor, "somebody who has left")


def _asked() -> tuple[Request, ...]:
    """Open requests for credits; giving some closes them."""
    asked = [alert for alert in open_alerts() if alert.kind == ASKED_KIND]
    return tuple(
        Request(alert.message, f"/admin/adjust?who={(alert.open_key or '').partition(':')[2]}", alert.last_raised_at)
        for alert in asked
    )


def done_words(done: Adjustment) -> str:
    """What became of an adjustment."""
    amount = signed(done.amount_micros)
    return {
        "posted": f"Done: {amount} credits.",
        "proposed": f"{amount} credits wait for a second administrator.",
        "declined": f"Declined: {amount} credits are not given.",
    }[done.state]
