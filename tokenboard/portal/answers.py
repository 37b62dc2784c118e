"""How a person looks on the wire (api.md, `user`)."""

from __future__ import annotations

from typing import Any

from tokenboard.accounts.models import Person


def user_answer(person: Person) -> dict[str, Any]:
    """The `user` object. There is no wallet yet, so balance and spend are nought and no budget is set."""
    return {
        "id": person.id,
        "email": person.email,
        "displayName": person.name,
        "balance": 0,
        "balanceMicros": 0,
        "monthlyBudgetCents": None,
        "monthlySpentCents": 0,
        "isAdmin": person.is_admin,
        "createdAt": person.created_at,
        "updatedAt": person.updated_at,
    }
