"""Buying credits by itself: when the balance falls below a line, with the saved card, up to a cap a month.

Laws: one such order is open at a time; the setting's row is locked while it is decided, so that two bells buy once; a
decline stops it and tells the workspace; the cap counts everything begun in the UTC month.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.billing import catalogue_queries, order_service
from tokenboard.billing.errors import PriceNotFound
from tokenboard.billing.models import Payment
from tokenboard.billing.order_service import Basket
from tokenboard.billing.promo_models import AutoTopUp
from tokenboard.billing.rules import PaymentKind, PaymentState, order_micros
from tokenboard.core import jobs
from tokenboard.core.clock import Month, midnight, now, this_month
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.signals import watchers
from tokenboard.workspaces.models import Workspace
from tokenboard.workspaces.telling import tell

TASK = "billing.top_up"
KIND = "billing.topup_stopped"
_RULE = AutoTopUp.__table__.c
_RULES = "SELECT 1 FROM auto_top_up WHERE wallet_id = :wallet_id AND is_enabled"
_ENABLED = select(_RULE.workspace_id, _RULE.threshold_micros).where(
    _RULE.wallet_id == bindparam("asked"), _RULE.is_enabled
)
_ENDED_UNPAID = (PaymentState.FAILED, PaymentState.EXPIRED)


def connect() -> None:
    """Hear every change of a balance that has a rule. Connecting twice is connecting once."""
    watchers.add(look, _RULES)


def look(wallet_id: str) -> None:
    """Ring when a balance has fallen below its line; the task decides under the lock."""
    rule = db.session.execute(_ENABLED, {"asked": wallet_id}).first()
    if rule is not None and ledger.balance(wallet_id).available_micros < rule.threshold_micros:
        jobs.ring(TASK, rule.workspace_id)


def rule_of(workspace_id: str) -> AutoTopUp | None:
    return db.session.get(AutoTopUp, workspace_id)


def enabled() -> list[str]:
    """Workspaces whose rule may have to buy: for the sweeper."""
    return list(db.session.scalars(select(AutoTopUp.workspace_id).where(AutoTopUp.is_enabled).limit(1_000)))


def set_rule(
    *,
    workspace: Workspace,
    person: Person,
    is_enabled: bool,
    threshold_micros: int,
    price: str,
    monthly_cap_cents: int,
) -> AutoTopUp:
    """Change the setting; switching it on clears why it stopped. Raises: PriceNotFound for anything but a USD pack."""
    offer = catalogue_queries.offer(price)
    if offer.price.interval is not None or offer.price.currency != "usd":
        raise PriceNotFound
    rule = db.session.get(AutoTopUp, workspace.id, with_for_update=True)
    if rule is None:
        rule = AutoTopUp(workspace_id=workspace.id, wallet_id=workspace.ledger_account_id)
        db.session.add(rule)
    rule.is_enabled, rule.threshold_micros = is_enabled, threshold_micros
    rule.price_provider_id, rule.monthly_cap_cents = offer.price.provider_id, monthly_cap_cents
    rule.person_id, rule.stopped_reason = person.id, ""
    facts = {"is_enabled": is_enabled, "threshold_micros": threshold_micros, "cap_cents": monthly_cap_cents}
    audit.record("billing.topup_set", actor=person.id, subject=workspace.id, workspace_id=workspace.id, facts=facts)
    db.session.flush()
    if is_enabled:
        look(workspace.ledger_account_id)
    return rule


def plan_top_up(workspace_id: str) -> Payment | None:
    """The order that is to be charged now; None when nothing is to be bought."""
    rule = db.session.get(AutoTopUp, workspace_id, with_for_update=True, populate_existing=True)
    if rule is None or not rule.is_enabled:
        return None
    if ledger.balance(rule.wallet_id).available_micros >= rule.threshold_micros:
        return None
    month = this_month()
    begun = select(Payment).where(
        Payment.workspace_id == workspace_id,
        Payment.kind == PaymentKind.TOP_UP,
        Payment.created_at >= midnight(month.first_day),
    )
    before = list(db.session.scalars(begun))
    if any(one.credited_at is None and one.state not in _ENDED_UNPAID for one in before):
        return None  # one is under way
    return _order(rule, before, month)


def _order(rule: AutoTopUp, before: list[Payment], month: Month) -> Payment | None:
    offer = catalogue_queries.known_price(rule.price_provider_id)
    if offer is None or not offer.is_for_sale:
        stop(rule=rule, why="The pack it buys is no longer for sale.")
        return None
    spent = sum(one.amount_minor for one in before if one.state not in _ENDED_UNPAID)
    if spent + offer.amount_minor > rule.monthly_cap_cents:
        return None  # the cap holds; next month goes on
    multiplier = settings().credit_purchase_multiplier
    basket = Basket(
        provider="stripe",
        kind=PaymentKind.TOP_UP,
        title=offer.product.name,
        amount_minor=offer.amount_minor,
        currency=offer.price.currency,
        credits_micros=order_micros(offer.credits, 1, multiplier),
        multiplier=multiplier,
        price_provider_id=offer.price.provider_id,
    )
    workspace = db.session.get_one(Workspace, rule.workspace_id)
    return order_service.order(
        workspace=workspace, person=None, basket=basket, intent_key=f"topup:{month}:{len(before)}"
    )


def forget(workspace_id: str) -> None:
    """Buy nothing more, and say it to nobody: the workspace is closed. Idempotent."""
    rule = rule_of(workspace_id)
    if rule is not None:
        rule.is_enabled = False


def stop(*, rule: AutoTopUp, why: str) -> None:
    """Buy nothing more until somebody switches it on again, and say so."""
    rule.is_enabled, rule.stopped_reason = False, why[:300]
    workspace = db.session.get_one(Workspace, rule.workspace_id)
    audit.record(
        "billing.topup_stopped",
        actor="auto-topup",
        subject=workspace.id,
        workspace_id=workspace.id,
        facts={"why": why[:200]},
    )
    tell(
        workspace.id,
        kind=KIND,
        subject=f"{workspace.name}: automatic top-up has stopped",
        text=f"{why}\n\nNothing more is bought until you switch it on again:\n{settings().base_url}/credits\n",
        payload={"workspaceId": workspace.id, "reason": why},
        cause=f"topup-stopped:{workspace.id}:{now():%Y%m%dT%H%M%S}",
    )
