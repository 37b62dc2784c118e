"""What a budget's alert says, and to whom: a workspace's channels, or its owner while there are none.

Law: a message's idempotency key names budget, month, step and address, so that nobody is told twice.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tokenboard.accounts.models import Person
from tokenboard.core.crypto import token_hash
from tokenboard.core.db import db
from tokenboard.core.money import json_number, usd_from_nano
from tokenboard.core.settings import settings
from tokenboard.costs.budget_queries import Standing
from tokenboard.costs.budget_rules import FORECAST_STEP
from tokenboard.costs.forecast_rules import breaking_day
from tokenboard.costs.models import BudgetAlert
from tokenboard.notices import service as notices
from tokenboard.web.filters import day, month_name, usd, usd_whole
from tokenboard.workspaces import channels
from tokenboard.workspaces.models import AlertChannel, Membership, Role, Workspace

KIND = "budget.reached"


def send(workspace: Workspace, standing: Standing, alert: BudgetAlert) -> None:
    """Write one message for each channel of the workspace. Idempotent."""
    found = channels.channels(workspace.id)
    for channel in found:
        _tell(workspace, standing, alert, channel)
    if not found:
        for address in _owners(workspace.id):
            _send_email(workspace, standing, alert, address)


def _tell(workspace: Workspace, standing: Standing, alert: BudgetAlert, channel: AlertChannel) -> None:
    if channel.kind == "email":
        _send_email(workspace, standing, alert, channel.address)
        return
    notices.send_webhook(
        kind=KIND,
        address=channel.address,
        payload=_payload(workspace, standing, alert),
        secret=channels.signing_secret(channel),
        idempotency_key=_key(alert, channel.address),
        workspace_id=workspace.id,
    )


def _send_email(workspace: Workspace, standing: Standing, alert: BudgetAlert, address: str) -> None:
    notices.send_email(
        kind=KIND,
        address=address,
        subject=subject(workspace.name, standing, alert),
        text=text(workspace.name, standing, alert, f"{settings().base_url}/dashboard"),
        idempotency_key=_key(alert, address),
        workspace_id=workspace.id,
    )


def _owners(workspace_id: str) -> list[str]:
    statement = (
        sa.select(Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.workspace_id == workspace_id, Membership.role == Role.OWNER, Person.is_disabled.is_(False))
    )
    return list(db.session.scalars(statement))


def _key(alert: BudgetAlert, address: str) -> str:
    return f"budget:{alert.budget_id}:{alert.month}:{alert.step}:{token_hash(address)[:32]}"


def headline(alert: BudgetAlert) -> str:
    """The alert in a few words: "80 % used", "forecast above the budget"."""
    if alert.step == FORECAST_STEP:
        return "forecast above the budget"
    return "used up" if alert.step == "100" else f"{alert.step} % used"


def subject(workspace_name: str, standing: Standing, alert: BudgetAlert) -> str:
    """The e-mail's subject, in plain words."""
    amounts = f"{usd(alert.spent_nano)} of {usd(alert.limit_nano)}"
    if alert.step == FORECAST_STEP and alert.forecast_nano is not None:
        amounts = f"{usd_whole(alert.forecast_nano)} expected, budget {usd(alert.limit_nano)}"
    return f"Budget of {_of(workspace_name, standing)}: {headline(alert)} ({amounts})"


def _of(workspace_name: str, standing: Standing) -> str:
    return f"{workspace_name} / {standing.name}" if standing.is_of_project else workspace_name


def text(workspace_name: str, standing: Standing, alert: BudgetAlert, link: str) -> str:
    """The e-mail's body."""
    outlook = standing.picture.outlook
    breaks_on = breaking_day(alert.limit_nano, standing.picture.totals, outlook)
    lines = [
        f"{_of(workspace_name, standing)}, {month_name(outlook.month)}",
        "",
        f"Budget:   {usd(alert.limit_nano)}",
        f"Spent:    {usd(alert.spent_nano)}",
        f"Forecast: {usd_whole(outlook.total_nano)} ({usd_whole(outlook.low_nano)} to {usd_whole(outlook.high_nano)})",
    ]
    if breaks_on is not None:
        word = "was passed" if breaks_on < standing.picture.today else "will be passed"
        lines.append(f"At this pace the budget {word} on {day(breaks_on)}.")
    return "\n".join([*lines, "", f"See what it is made of: {link}", ""])


def _payload(workspace: Workspace, standing: Standing, alert: BudgetAlert) -> dict[str, Any]:
    return {
        "workspaceId": workspace.id,
        "workspace": workspace.name,
        "budgetId": alert.budget_id,
        "name": standing.name,
        "month": alert.month,
        "step": alert.step,
        "spentUsd": json_number(usd_from_nano(alert.spent_nano)),
        "budgetUsd": json_number(usd_from_nano(alert.limit_nano)),
        "forecastUsd": json_number(usd_from_nano(standing.picture.outlook.total_nano)),
    }
