"""What is done with a workspace's wallet: open it, spend from it, give sign-up credits.

Callers have decided access. Units: `*_micros` is integer micro-credits.
"""

from __future__ import annotations

from datetime import timedelta

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.audit.alerts import raise_alert
from tokenboard.core.clock import now
from tokenboard.core.crypto import token_hash
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.core.redaction import redact
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert_once
from tokenboard.ledger import service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import Posting
from tokenboard.ledger.rules import LONGEST_DESCRIPTION
from tokenboard.wallet.models import SignupGrant
from tokenboard.wallet.rules import EXAMPLE_PRICE_MICROS, SIGNUP_KEY, normalised_email
from tokenboard.workspaces.errors import MadeUp
from tokenboard.workspaces.models import Workspace

ASKED_KIND = "wallet.credits_asked"
SPEND_SOURCE = "wallet:api"
EXAMPLE_SOURCE = "wallet:example"


def spend(*, workspace: Workspace, amount_micros: int, reason: str, key: str) -> Posting:
    """Use credits now, all or nothing.

    Idempotent: by `key`. Raises: InsufficientCredits, IdempotencyConflict, AccountArchived, MadeUp.
    """
    _require_own(workspace)
    return ledger.spend(
        wallet_id=workspace.ledger_account_id,
        amount_micros=amount_micros,
        key=key,
        description=redact(reason)[:LONGEST_DESCRIPTION],
        source=SPEND_SOURCE,
    )


def use_example(*, workspace: Workspace, prompt: str, key: str) -> Posting:
    """Pay for one use of the worked example. The prompt is part of the inputs: one key, one prompt.

    Idempotent: by `key`. Raises: InsufficientCredits, IdempotencyConflict, AccountArchived, MadeUp.
    """
    _require_own(workspace)
    return ledger.spend(
        wallet_id=workspace.ledger_account_id,
        amount_micros=EXAMPLE_PRICE_MICROS,
        key=f"example:{token_hash(key)}",  # apart from the keys of /api/credits/spend
        description="Worked example",
        source=f"{EXAMPLE_SOURCE}:{token_hash(prompt)[:16]}",
    )


def _require_own(workspace: Workspace) -> None:
    """What is paid for here is somebody's product; a demo's credits are made up."""
    if workspace.is_demo:
        raise MadeUp


def grant_sign_up(*, person: Person, workspace: Workspace) -> Posting | None:
    """The credits that every new person gets, once for each mailbox however its address is spelled.

    Called at sign-up where no mail is sent, else when the address has been verified.
    Idempotent: None when there is nothing to give, or it was given before, also by a transaction at this moment.
    """
    amount_micros = settings().signup_credits * MICROS_PER_CREDIT
    if not amount_micros or workspace.is_demo:
        return None
    known = token_hash(normalised_email(person.email))
    fresh = {"wallet_id": workspace.ledger_account_id, "amount_micros": amount_micros, "created_at": now()}
    if not insert_once(SignupGrant, unique="email_hash", email_hash=known, **fresh):
        return None
    days = settings().signup_credits_expire_days
    posting = ledger.grant(
        wallet_id=workspace.ledger_account_id,
        amount_micros=amount_micros,
        category=Category.PROMOTIONAL,
        house=House.PROMOTIONS,
        key=SIGNUP_KEY,
        expires_at=now() + timedelta(days=days) if days else None,
        description="Welcome credits",
        source="wallet:signup",
    )
    facts = {"credits": settings().signup_credits}
    audit.record("wallet.signup_granted", actor=person.id, subject=workspace.id, workspace_id=workspace.id, facts=facts)
    return posting


def ask_for_credits(*, workspace: Workspace, actor: Person) -> None:
    """Tell the site's administrators that a workspace wants credits. Asking again only counts."""
    raise_alert(
        ASKED_KIND,
        subject=workspace.id,
        severity="info",
        message=f"The workspace {workspace.name} asks for credits.",
    )
    audit.record("wallet.credits_asked", actor=actor.id, subject=workspace.id, workspace_id=workspace.id)
