"""What a price would have made of what was used: sums are priced again. Pure; the arithmetic is `rules.py`'s.

Laws: a call that went through us costs price times tokens; one that LiteLLM reported costs what LiteLLM said, whatever
our price is, times the markup. A sum is rounded once, where single requests each were: a rehearsal is a few
micro-credits a request below the truth. Units: credits micro-credits, cost nano-USD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tokenboard.metering import rules
from tokenboard.metering.facts import Price

REPORTED = frozenset({"key", "openwebui_direct"})


@dataclass(frozen=True, slots=True)
class Used:
    """What one customer has used of a model by one door, and what it cost then."""

    workspace_id: str
    name: str
    source: str
    requests: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    credits_micros: int
    cost_nano_usd: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A price with its markup; `is_offered` False: the model is taken off, and nothing of it is used."""

    price: Price
    markup: Decimal
    is_offered: bool = True


@dataclass(frozen=True, slots=True)
class Worth:
    """What customers paid, and what the provider got."""

    credits_micros: int = 0
    cost_nano_usd: int = 0

    def __add__(self, other: Worth) -> Worth:
        return Worth(self.credits_micros + other.credits_micros, self.cost_nano_usd + other.cost_nano_usd)


@dataclass(frozen=True, slots=True)
class Affected:
    """One customer, as it was and as it would have been."""

    workspace_id: str
    name: str
    before: Worth
    after: Worth

    @property
    def change_micros(self) -> int:
        return self.after.credits_micros - self.before.credits_micros


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Everything together, and every customer, the most affected first."""

    requests: int
    tokens: int
    before: Worth
    after: Worth
    customers: tuple[Affected, ...]

    @property
    def paying_more(self) -> int:
        return sum(one.change_micros > 0 for one in self.customers)

    @property
    def paying_less(self) -> int:
        return sum(one.change_micros < 0 for one in self.customers)


def rehearse(used: Sequence[Used], proposal: Proposal, *, credit_value_nano: int) -> Rehearsal:
    """Price everything again."""
    found: dict[str, Affected] = {}
    for one in used:
        before = Worth(one.credits_micros, one.cost_nano_usd)
        after = repriced(one, proposal, credit_value_nano=credit_value_nano)
        known = found.get(one.workspace_id, Affected(one.workspace_id, one.name, Worth(), Worth()))
        found[one.workspace_id] = Affected(one.workspace_id, one.name, known.before + before, known.after + after)
    customers = sorted(found.values(), key=lambda one: (-abs(one.change_micros), one.name, one.workspace_id))
    return Rehearsal(
        requests=sum(one.requests for one in used),
        tokens=sum(one.prompt_tokens + one.completion_tokens for one in used),
        before=sum((one.before for one in customers), Worth()),
        after=sum((one.after for one in customers), Worth()),
        customers=tuple(customers),
    )


def repriced(used: Used, proposal: Proposal, *, credit_value_nano: int) -> Worth:
    """One customer's use at another price."""
    if not proposal.is_offered:
        return Worth()
    cost = used.cost_nano_usd
    if used.source not in REPORTED:
        cost = rules.cost_nano(
            proposal.price,
            prompt_tokens=used.prompt_tokens,
            cached_tokens=used.cached_tokens,
            completion_tokens=used.completion_tokens,
        )
    charged = rules.charged_micros(cost, markup=proposal.markup, credit_value_nano=credit_value_nano)
    return Worth(charged, cost)
