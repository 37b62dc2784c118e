"""Subscriptions: whose they are, and what Stripe last told of them. Their credits: invoice_service.py.

Laws: a newer snapshot wins, an ended one is final, on a tie Stripe is asked; nothing here moves credits.
Source: reference "Stripe", section 3 and cases 8 to 15; docs/payments.md.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from tokenboard.accounts.models import Person
from tokenboard.audit.alerts import raise_alert
from tokenboard.billing import payment_queries as queries
from tokenboard.billing.asking import Answers
from tokenboard.billing.errors import NotYet
from tokenboard.billing.models import Customer, Subscription
from tokenboard.billing.rules import ENDED_SUBSCRIPTIONS
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.core.upsert import insert_once
from tokenboard.providers import stripe_objects as stripe
from tokenboard.workspaces.models import Membership, Workspace

PROVIDER = "stripe"
PLAN_KIND = "billing.plan"


def workspace_of(metadata: object, customer_id: str | None, subscription_id: str | None) -> str | None:
    """Whose it is: by the metadata we wrote, by the customer, by the subscription."""
    written = metadata if isinstance(metadata, dict) else {}
    named = or_none(parse_id, str(written.get("workspace_id", "")))
    if named and db.session.get(Workspace, named):
        return named
    if customer_id and (customer := queries.customer_by_id(PROVIDER, customer_id)):
        return customer.workspace_id
    if subscription_id and (known := queries.subscription_by_id(subscription_id)):
        return known.workspace_id
    return _own_workspace(or_none(parse_id, str(written.get("user_id", ""))))


def _own_workspace(person_id: str | None) -> str | None:
    if person_id is None:
        return None
    wanted = (
        select(Workspace.id)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Workspace.is_personal, Membership.role == "owner", Person.id == person_id)
    )
    return db.session.scalar(wanted)


def adopt_customer(*, workspace_id: str, customer_id: str) -> None:
    """Remember whose a customer is, when Stripe made it or we lost its answer. One that is known stays as it is."""
    if queries.customer_by_id(PROVIDER, customer_id) is not None:
        return
    own = queries.live_customer(workspace_id, PROVIDER)
    if own is not None and own.provider_id is None:
        own.provider_id = customer_id
    elif own is None:
        db.session.add(Customer(workspace_id=workspace_id, provider=PROVIDER, provider_id=customer_id))
    db.session.flush()


def learn_subscription(*, told: stripe.Subscription, at: datetime, answers: Answers) -> Subscription:
    """Keep a snapshot, unless a newer one is known. Raises: NotYet, NeedsAnswer."""
    workspace_id = workspace_of(dict(told.metadata), told.customer_id, told.id)
    if workspace_id is None:
        raise NotYet(f"Whose subscription {told.id} is, is not known yet.")
    adopt_customer(workspace_id=workspace_id, customer_id=told.customer_id)
    is_new = _insert(told, workspace_id, at)
    wanted = select(Subscription).where(Subscription.provider_id == told.id).with_for_update()
    row = db.session.scalars(wanted.execution_options(populate_existing=True)).one()
    if is_new or _is_newer(row, told, at):
        _write(row, told, at)
    elif at == row.told_at and row.status != told.status and row.status not in ENDED_SUBSCRIPTIONS:
        current = answers("stripe.subscription", told.id)
        _write(row, current or told, at)
    _flag_extra(row)
    return row


def _insert(told: stripe.Subscription, workspace_id: str, at: datetime) -> bool:
    fresh = {"id": new_id(), "workspace_id": workspace_id, "status": told.status, "told_at": at, "created_at": now()}
    plain = {"customer_provider_id": told.customer_id, "price_provider_id": "", "quantity": 1, "invoice_url": ""}
    flags = {"cancel_at_period_end": False, "is_collection_paused": False, "is_extra": False}
    return insert_once(Subscription, unique="provider_id", provider_id=told.id, **fresh, **plain, **flags)


def _is_newer(row: Subscription, told: stripe.Subscription, at: datetime) -> bool:
    if row.status in ENDED_SUBSCRIPTIONS:
        return False  # nothing comes back from there
    return at > row.told_at or told.status in ENDED_SUBSCRIPTIONS


def _write(row: Subscription, told: stripe.Subscription, at: datetime) -> None:
    row.status, row.told_at = told.status, max(at, row.told_at)
    row.customer_provider_id = told.customer_id
    row.cancel_at_period_end = told.cancel_at_period_end or told.cancel_at is not None
    row.is_collection_paused = told.is_collection_paused
    row.trial_ends_at, row.ended_at = told.trial_end, told.ended_at
    if told.items:
        item = told.items[0]
        row.price_provider_id, row.quantity = item.price_id, max(1, item.quantity)
        row.period_start, row.period_end = item.period_start, item.period_end
    if told.status in ("active", "trialing", *ENDED_SUBSCRIPTIONS):
        row.invoice_url = ""


def _flag_extra(row: Subscription) -> None:
    """At most one live subscription a workspace: a second one is flagged and the operator told."""
    db.session.flush()
    first = queries.live_subscription(row.workspace_id)
    row.is_extra = first is not None and first.id != row.id and row.status not in ENDED_SUBSCRIPTIONS
    if row.is_extra:
        words = f"The workspace {row.workspace_id} has a second live subscription, {row.provider_id}. Cancel one."
        raise_alert(PLAN_KIND, subject=row.provider_id, severity="warning", message=words)
