"""What a provider's claims decide: whose account they open, and what their groups give. Pure.

Source: reference/oidc.md C3: an unverified address must neither take an account nor keep one that a stranger made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

FRESH = timedelta(minutes=5)  # an authentication this old still proves who sits there now


def may_link(*, told_verified: bool, ours_verified: bool) -> bool:
    """Whether an e-mail alone connects an identity to the account that has it: both sides have seen the mailbox."""
    return told_verified and ours_verified


def is_admin(groups: Collection[str], admin_groups: Collection[str]) -> bool:
    """Whether one of the groups runs the site."""
    return any(group in admin_groups for group in groups)


def allowance(groups: Collection[str], budgets: Mapping[str, int]) -> int | None:
    """The largest allowance the groups give, in US cents; None when they give none."""
    return max((budgets[group] for group in groups if group in budgets), default=None)


def proves_now(authenticated_at: int | None, instant: datetime) -> bool:
    """Whether the provider asked just now. One that does not say when was asked to ask again, and is believed."""
    return authenticated_at is None or instant.timestamp() - authenticated_at <= FRESH.total_seconds()
