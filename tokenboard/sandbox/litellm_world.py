"""What the sandbox's LiteLLM knows: keys, users, customers, budgets, and what each has spent.

As seen on 1.106.2: a key's name is the SHA-256 of its secret; an alias is unique over all keys; an unknown customer is
made by its first spend, without a budget; spend is counted for key, user and customer alike and never falls by itself.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tokenboard.sandbox.litellm_rows import budget_row, customer_row, key_row, user_row
from tokenboard.sandbox.objects import Objects
from tokenboard.sandbox.store import Store

KEY, USER, CUSTOMER, BUDGET = "litellm_key", "litellm_user", "litellm_customer", "litellm_budget"
KINDS = (KEY, USER, CUSTOMER, BUDGET)
LOCK = threading.RLock()  # rows are read, changed and written back
Row = dict[str, Any]


class World:
    """The proxy's database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.objects = Objects(store)

    # Keys

    def key(self, token: str) -> Row | None:
        return self.objects.get(KEY, token)

    def key_by_alias(self, alias: str) -> Row | None:
        return next((row for row in self.objects.listed(KEY) if row["key_alias"] == alias), None)

    def put_key(self, row: Row) -> None:
        self.objects.put(KEY, row["token"], row)

    def make_key(self, token: str, display: str, at: datetime) -> Row:
        return key_row(token, display, at)

    # Users, customers, budgets

    def user(self, user_id: str) -> Row | None:
        return self.objects.get(USER, user_id)

    def make_user(self, user_id: str, at: datetime) -> Row:
        return user_row(user_id, at)

    def put_user(self, row: Row) -> None:
        self.objects.put(USER, row["user_id"], row)

    def customer(self, user_id: str) -> Row | None:
        """With its budget row beside it, as it is answered."""
        row = self.objects.get(CUSTOMER, user_id)
        if row is None:
            return None
        budget = self.budget(row["budget_id"]) if row["budget_id"] else None
        return row | {"litellm_budget_table": _short(budget) if budget else None}

    def make_customer(self, user_id: str) -> Row:
        return customer_row(user_id)

    def put_customer(self, row: Row) -> None:
        self.objects.put(CUSTOMER, row["user_id"], row | {"litellm_budget_table": None})

    def budget(self, budget_id: str) -> Row | None:
        return self.objects.get(BUDGET, budget_id)

    def make_budget(self, at: datetime, **told: Any) -> Row:
        row = budget_row(str(uuid.uuid4()), at) | told
        self.put_budget(row)
        return row

    def put_budget(self, row: Row) -> None:
        self.objects.put(BUDGET, row["budget_id"], row)

    # Spend

    def count(self, line: Mapping[str, Any], at: datetime) -> None:
        """A request has cost so much: its key, that key's user, and the customer count it."""
        cost = Decimal(str(line["spend"]))
        with LOCK:
            key = self.key(line["api_key"])
            if key is not None:
                key["spend"] = key["total_spend"] = _more(key["spend"], cost)
                key["last_active"] = at.isoformat()
                self.put_key(key)
                user = self.user(key["user_id"] or "")
                if user is not None:
                    user["spend"] = _more(user["spend"], cost)
                    self.put_user(user)
            if line["end_user"] and cost:
                customer = self.objects.get(CUSTOMER, line["end_user"]) or self.make_customer(line["end_user"])
                customer["spend"] = _more(customer["spend"], cost)
                self.put_customer(customer)

    def empty(self) -> None:
        """It was started again with another, empty database."""
        with LOCK, self.store.opened() as db:
            db.execute(f"DELETE FROM object WHERE kind IN ({','.join('?' * len(KINDS))})", KINDS)  # noqa: S608 - marks
            db.execute("DELETE FROM spend")


def _more(counted: Any, cost: Decimal) -> Any:
    return float(Decimal(str(counted)) + cost)


def _short(budget: Row) -> Row:
    """A budget as it stands inside a customer."""
    names = "budget_id soft_budget max_budget max_parallel_requests tpm_limit rpm_limit tpd_limit model_max_budget"
    more = "budget_duration allowed_models temp_budget_increase temp_budget_expiry budget_reset_at created_at"
    return {name: budget[name] for name in f"{names} {more}".split()}
