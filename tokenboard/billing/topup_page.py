"""The automatic top-up as its form shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tokenboard.billing import topup_service
from tokenboard.billing.basket_service import STRIPE
from tokenboard.billing.catalogue_queries import Offer, known_price
from tokenboard.billing.price_words import credits_words, price
from tokenboard.billing.promo_models import AutoTopUp
from tokenboard.billing.rules import order_micros
from tokenboard.billing.shop_page import Counter
from tokenboard.wallet.credits_page import plain_credits
from tokenboard.workspaces.models import Workspace

_USUAL_BELOW, _USUAL_CAP_CENTS = "100", 5_000


@dataclass(frozen=True, slots=True)
class TopUpBlock:
    """The form's values, and its state in a sentence."""

    is_on: bool
    is_open: bool
    sentence: str
    stopped: str
    below: str
    pack: str
    packs: tuple[tuple[str, str], ...]
    cap: str


def top_up_block(workspace: Workspace, counter: Counter, typed: Mapping[str, str]) -> TopUpBlock | None:
    """None where no card can be charged: Stripe is off, there is no pack in dollars, or nothing real is bought."""
    packs = [one for one in counter.packs("USD") if one.price.currency == "usd"]
    if not counter.is_on(STRIPE) or not packs or workspace.is_demo:
        return None
    rule = topup_service.rule_of(workspace.id)
    chosen = _chosen(rule, packs)
    values = _values(rule, chosen or packs[0]) | {
        name: typed[name][:255] for name in ("topup_below", "topup_pack", "topup_cap") if name in typed
    }
    is_on = typed.get("topup_on") == "1" if "topup_below" in typed else rule is not None and rule.is_enabled
    return TopUpBlock(
        is_on=is_on,
        is_open="topup_below" in typed,
        sentence=_sentence(rule, chosen),
        stopped=rule.stopped_reason if rule else "",
        below=values["topup_below"],
        pack=values["topup_pack"],
        packs=tuple((one.price.id, _words(one, counter)) for one in packs),
        cap=values["topup_cap"],
    )


def _chosen(rule: AutoTopUp | None, packs: list[Offer]) -> Offer | None:
    """The rule's pack, also when it is not for sale any more."""
    if rule is None:
        return None
    found = next((one for one in packs if one.price.provider_id == rule.price_provider_id), None)
    return found or known_price(rule.price_provider_id)


def _values(rule: AutoTopUp | None, pack: Offer) -> dict[str, str]:
    cap = rule.monthly_cap_cents if rule else max(_USUAL_CAP_CENTS, pack.amount_minor)
    below = plain_credits(rule.threshold_micros) if rule else _USUAL_BELOW
    return {"topup_below": below, "topup_pack": pack.price.id, "topup_cap": f"{cap // 100}.{cap % 100:02}"}


def _words(offer: Offer, counter: Counter) -> str:
    micros = order_micros(offer.credits, 1, counter.here.credit_purchase_multiplier)
    return f"{credits_words(micros)} for {price(offer.amount_minor, 'usd')}"


def _sentence(rule: AutoTopUp | None, pack: Offer | None) -> str:
    """What happens."""
    if rule is None or not rule.is_enabled or pack is None:
        return "Off. It buys a pack when the balance falls below a line."
    below, most = credits_words(rule.threshold_micros), price(rule.monthly_cap_cents, "usd")
    return f"Below {below}, {pack.product.name} is bought, for at most {most} a month."
