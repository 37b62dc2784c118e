"""The page /credits: the wallet's blocks, and what billing puts beside them.

Law: everything is read here, once, in a fixed number of queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from tokenboard.accounts.models import Person
from tokenboard.billing import (
    basket_service,
    catalogue_queries,
    history_page,
    outcome_page,
    payment_queries,
    shop_page,
    topup_page,
)
from tokenboard.billing.basket_forms import Wish
from tokenboard.billing.models import Payment
from tokenboard.billing.rules import PaymentKind
from tokenboard.billing.shop_page import Counter
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.core.settings import settings
from tokenboard.wallet import credits_page, queries as wallet
from tokenboard.wallet.credits_page import PATH, Choice
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

_PLANS = "plans"
_SHOP_FIELDS = {"buy", "plan", "pack", "amount", "method", "phone", "total"}  # of which a refusal stands further down
_DEMO = "A demo workspace buys nothing: its numbers are made up. Switch to a workspace of your own to buy credits."
_VIEWER = "You may look at everything here. Members of this workspace buy credits."


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks to see, and what a refused form had."""

    wish: Wish
    shows_plans: bool = False
    tab: str = history_page.LEDGER
    kind: str = ""
    state: str = ""
    cursor: str = ""
    outcome: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, list[str]] = field(default_factory=dict)


def build(found: WorkspaceAccess, person: Person, asked: Asked, modes: dict[str, str]) -> dict[str, Any]:
    """The page's context."""
    workspace = found.workspace
    line = wallet.low_balance(workspace)
    order = outcome_page.order_behind(asked.outcome, workspace.id, person.id)
    counter = read_counter(workspace.id, modes)
    shop = _shop(found, person, asked, counter, order)
    is_ledger = asked.tab == history_page.LEDGER
    return {
        "workspace": workspace,
        "may_change": found.allows(Role.ADMIN),
        "may_spend": found.allows(Role.MEMBER),
        "balance": credits_page.balance_block(workspace),
        "ledger": _ledger(found, asked) if is_ledger else None,
        "history": history_page.history(
            workspace.id, tab=asked.tab, state=asked.state, cursor=asked.cursor, kept=asked.kept
        ),
        "credit_price": credits_page.price(MICROS_PER_CREDIT),
        "threshold": asked.typed.get("threshold", credits_page.threshold_text(line))[:40],
        "is_low": line is not None and not line.is_armed,
        "was_told": line is not None and line.told_at is not None,
        "shop": shop,
        "total": shop.total,
        "form_key": basket_service.form_key(workspace.id, person.id),
        "outcome": outcome_page.outcome(asked.outcome, order),
        "topup": topup_page.top_up_block(workspace, counter, asked.typed),
        "has_customer": counter.is_on(basket_service.STRIPE) and _has_customer(workspace.id),
        "code": asked.typed.get("code", "")[:60],
        "faults": asked.faults,
        "is_refused": not _SHOP_FIELDS.isdisjoint(asked.faults),
    }


def read_counter(workspace_id: str, modes: dict[str, str]) -> Counter:
    """Two reads: what is for sale, and the plan that runs."""
    plan = payment_queries.live_subscription(workspace_id)
    return Counter(catalogue_queries.for_sale(), modes, settings(), plan)


def _ledger(found: WorkspaceAccess, asked: Asked) -> credits_page.Ledger:
    return credits_page.ledger_lines(found.workspace, kind=asked.kind, cursor=asked.cursor, kept=asked.kept)


def _has_customer(workspace_id: str) -> bool:
    customer = payment_queries.live_customer(workspace_id, basket_service.STRIPE)
    return customer is not None and customer.provider_id is not None


def _shop(
    found: WorkspaceAccess, person: Person, asked: Asked, counter: Counter, order: Payment | None
) -> shop_page.Shop:
    wish = shop_page.completed(_wish(asked, order), counter)
    why_not = _DEMO if found.workspace.is_demo else "" if found.allows(Role.MEMBER) else _VIEWER
    return shop_page.shop(
        counter,
        wish,
        shows_plans=asked.shows_plans,
        why_not=why_not,
        is_operator=person.is_admin,
        links=_links(asked, wish),
    )


def _wish(asked: Asked, order: Payment | None) -> Wish:
    """Who comes back without having paid finds the same basket; what the address or a form names counts more."""
    is_back = order is not None and order.paid_at is None and order.kind in (PaymentKind.PACK, PaymentKind.CUSTOM)
    if order is None or not is_back or asked.wish.what or asked.outcome not in ("failed", "canceled"):
        return asked.wish
    before = basket_service.wish_again(order)
    return replace(before, currency=asked.wish.currency or before.currency)


def _links(asked: Asked, wish: Wish) -> dict[str, Choice]:
    """The block's own switches: packs or plans, and the currency."""
    kept = {name: value for name, value in asked.kept.items() if name != "currency"}
    money = {"currency": wish.currency} if asked.wish.currency else {}
    plans = {"buy": _PLANS} if asked.shows_plans else {}
    links = {
        one: Choice(one, _href(kept | plans | {"currency": one}), one == wish.currency)
        for one in basket_service.METHODS
    }
    links["packs"] = Choice("Packs", _href(kept | money), not asked.shows_plans)
    links["plans"] = Choice("Plans", _href(kept | money | {"buy": _PLANS}), asked.shows_plans)
    return links


def _href(query: dict[str, str]) -> str:
    return f"{PATH}?{urlencode(query)}" if query else PATH
