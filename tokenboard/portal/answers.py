"""How a person looks on the wire (api.md, `user`)."""

from __future__ import annotations

from typing import Any

from tokenboard.accounts.models import Person
from tokenboard.metering import queries as metering
from tokenboard.metering.worth import cents_of_micros
from tokenboard.workspaces import access
from tokenboard.workspaces.answers import workspace_answer


def user_answer(person: Person) -> dict[str, Any]:
    """The `user` object: the balance is that of their own workspace; what was spent counts over all of them."""
    own = workspace_answer(access.own(person))
    return {
        "id": person.id,
        "email": person.email,
        "displayName": person.name,
        "balance": own["balance"],
        "balanceMicros": own["balanceMicros"],
        "monthlyBudgetCents": person.monthly_budget_cents,
        "monthlySpentCents": cents_of_micros(metering.spent_this_month(person.id)),
        "isAdmin": person.is_admin,
        "createdAt": person.created_at,
        "updatedAt": person.updated_at,
    }
