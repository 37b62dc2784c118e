"""What the summary of a month that is over says: each workspace's bill and credits, in finished texts.

Laws: the figures come from the queries of the pages, so that mail and page agree; a workspace in which nothing happened
is left out, demo workspaces too; a person hears only of workspaces they belong to now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.accounts.models import Person
from tokenboard.billing import payment_queries
from tokenboard.core.clock import Month, midnight, today
from tokenboard.costs import month_queries, queries as costs
from tokenboard.ledger import glance_queries
from tokenboard.metering import usage_queries
from tokenboard.metering.usage_rules import By, Span
from tokenboard.wallet import queries as wallet
from tokenboard.web.filters import credit_amount, usd
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class WorkspaceMonth:
    """One workspace's month. An empty text is a line that is left out."""

    name: str
    bill: str
    bill_before: str
    used: str
    used_by_you: str
    bought: str
    left: str


def of_person(person: Person, month: Month) -> list[WorkspaceMonth]:
    """The workspaces of a person in which something happened, their own first."""
    found = (_of_workspace(one.workspace, person, month) for one in access.all_of(person) if not one.workspace.is_demo)
    return [one for one in found if one.bill or one.used or one.bought]


def _of_workspace(workspace: Workspace, person: Person, month: Month) -> WorkspaceMonth:
    scope = costs.scope_of(costs.connections(workspace.id))
    picture = month_queries.picture(scope, month, today())
    since, until = midnight(month.first_day), midnight(month.shift(1).first_day)
    used, own = _used_micros(workspace, since, until), _own_micros(workspace, person, month)
    bought = payment_queries.credited_micros(workspace.id, since, until)
    return WorkspaceMonth(
        name=workspace.name,
        bill=usd(picture.spent_nano) if picture.spent_nano else "",
        bill_before=usd(picture.previous_month_nano) if picture.previous_month_nano else "",
        used=credit_amount(used) if used else "",
        used_by_you=credit_amount(own) if 0 < own < used else "",
        bought=credit_amount(bought) if bought else "",
        left=credit_amount(wallet.balance(workspace).available_micros),
    )


def _used_micros(workspace: Workspace, since: datetime, until: datetime) -> int:
    """What left the wallet, as its statement tells it; adjustments by hand are no use."""
    wallet_id, but_source = workspace.ledger_account_id, wallet.ADJUSTMENT_SOURCE
    return max(0, glance_queries.used_micros(wallet_id, since=since, until=until, but_source=but_source))


def _own_micros(workspace: Workspace, person: Person, month: Month) -> int:
    """Of metered calls, the person's own."""
    told = usage_queries.summary(workspace.id, Span(month.first_day, month.last_day), By.USER)
    return sum(item.sums.credits_micros for item in told.items if item.key == person.id)
