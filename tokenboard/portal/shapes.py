"""Shapes of answers that span rooms (answers.py), for the OpenAPI document."""

from __future__ import annotations

from tokenboard.billing.shapes import Subscription
from tokenboard.costs.shapes import BudgetAlert, Summary
from tokenboard.metering.shapes import Usage
from tokenboard.wallet.shapes import Balance
from tokenboard.web.shapes import Cents, Credits, EmailText, Id, Instant, Micros, Name, Shape


class User(Shape):
    """A person: the balance is that of their own workspace; what was spent counts over all of them."""

    id: Id
    email: EmailText
    display_name: Name
    balance: Credits
    balance_micros: Micros
    monthly_budget_cents: Cents | None
    monthly_spent_cents: Cents
    is_admin: bool
    created_at: Instant
    updated_at: Instant


class Dashboard(Balance):
    """All a home screen shows."""

    user: User
    summary: Summary
    subscription: Subscription | None
    recent_usage: list[Usage]
    alerts: list[BudgetAlert]
