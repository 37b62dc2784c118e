"""The dashboard's line about credits: what is left, how long it lasts, what goes next, and the plan.

Shown once a wallet is in use: something was spent, bought or is owed, or a plan runs. Sign-up credits alone are no use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import g

from tokenboard.billing import plan_page
from tokenboard.billing.plan_page import Plan
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.queries import WalletBalance
from tokenboard.wallet import credits_page, queries as wallet, rules
from tokenboard.web.filters import credit_amount
from tokenboard.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class WalletBand:
    """Everything the line prints. `owed`: nothing can be spent until this is paid."""

    amount: str
    exact: str
    money: str
    runway: str
    expiring: str
    expiring_at: datetime | None
    owed: str
    plan: Plan | None


def balance_of(workspace: Workspace) -> WalletBalance:
    """The wallet's balance, read once a request however many parts of a page show it."""
    known: dict[str, WalletBalance] = g.setdefault("balances", {})
    if workspace.id not in known:
        known[workspace.id] = wallet.balance(workspace)
    return known[workspace.id]


def wallet_band(workspace: Workspace) -> WalletBand | None:
    """None while the wallet is not in use."""
    balance = balance_of(workspace)
    grants = ledger.grants(workspace.ledger_account_id)
    outlook = wallet.outlook(balance, grants)
    plan = plan_page.running(workspace.id)
    is_bought = any(one.category != Category.PROMOTIONAL for one in grants)
    if outlook.pace is None and plan is None and not is_bought and not balance.is_overdrawn:
        return None
    expiring = outlook.next_expiry
    return WalletBand(
        amount=credit_amount(max(0, balance.available_micros)),
        exact=credits_page.exact(balance.available_micros),
        money=credits_page.money(max(0, balance.available_micros)),
        runway=rules.runway_words(outlook.days),
        expiring=f"{credit_amount(expiring.available_micros)} credits" if expiring else "",
        expiring_at=expiring.expires_at if expiring else None,
        owed=credit_amount(-balance.available_micros) if balance.is_overdrawn else "",
        plan=plan,
    )
