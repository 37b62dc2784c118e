"""How a person looks on the wire (api.md, `user`)."""

from __future__ import annotations

from typing import Any

from tokenboard.accounts.models import Person
from tokenboard.workspaces import access
from tokenboard.workspaces.answers import workspace_answer


def user_answer(person: Person) -> dict[str, Any]:
    """The `user` object: the balance is that of their own workspace; nothing is metered yet."""
    own = workspace_answer(access.own(person))
    return {
        "id": person.id,
        "email": person.email,
        "displayName": person.name,
        "balance": own["balance"],
        "balanceMicros": own["balanceMicros"],
        "monthlyBudgetCents": person.monthly_budget_cents,
        "monthlySpentCents": 0,
        "isAdmin": person.is_admin,
        "createdAt": person.created_at,
        "updatedAt": person.updated_at,
    }
