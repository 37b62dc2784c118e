"""A receipt by mail for every payment: to who ordered it, else to the workspace's owner.

Laws: written into the outbox with the credits, in one transaction; the payment is the key, so that it goes out once,
whatever events announce it; who refused receipts gets none (accounts/mail_choices.py).
"""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.accounts import mail_choices
from tokenboard.accounts.mail_choices import Mail
from tokenboard.accounts.models import Person
from tokenboard.billing import payment_queries as queries, payment_receipt
from tokenboard.billing.models import Payment
from tokenboard.core.db import db
from tokenboard.notices.letters import send_letter
from tokenboard.workspaces.models import Membership, Role, Workspace

KIND = "billing.receipt"


def send(*, payment: Payment, workspace: Workspace) -> None:
    """Write the receipt of a payment whose credits are there. Nothing for what cost nothing. Idempotent."""
    charged = payment.amount_minor if payment.charged_minor is None else payment.charged_minor
    address = _address(payment) if charged and not workspace.is_demo else None
    if address is None:
        return
    receipt = payment_receipt.build(payment, queries.grants_of(payment.id))
    send_letter(
        "receipt",
        kind=KIND,
        address=address,
        subject=f"Receipt: {receipt.charged} for {receipt.what}",
        idempotency_key=f"receipt:{payment.id}",
        path=f"{receipt.href}/receipt",
        workspace_id=payment.workspace_id,
        facts={"receipt": receipt, "workspace": workspace.name},
    )


def _address(payment: Payment) -> str | None:
    """Who ordered it; a renewal and an automatic top-up were ordered by nobody."""
    asked = select(Person.email).where(mail_choices.gets(Mail.RECEIPTS))
    if payment.person_id is not None:
        return db.session.scalar(asked.where(Person.id == payment.person_id))
    owner = (Membership.workspace_id == payment.workspace_id, Membership.role == Role.OWNER)
    return db.session.scalar(asked.join(Membership, Membership.person_id == Person.id).where(*owner))
