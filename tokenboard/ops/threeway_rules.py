"""Three books of one use: the provider's bill, the gateway's meter, what customers paid; the gaps by their names. Pure.

Laws, of every line and so of every sum, to the nano-dollar:

    bill  = meter + foreign + unpriced + outside + discount + late
    paid  = meter + markup − shrinkage

| name | is |
| --- | --- |
| foreign | LiteLLM reports it for a key and person that nobody knows here, or with numbers that cannot be |
| unpriced | billed for a model that was metered at nothing: it has no price |
| outside | billed beyond all that went through the gateway: somebody uses the provider's key elsewhere |
| discount | billed below the list price (negative) |
| late | the bill of this day still moves, or has not come |
| markup | what customers pay above the list price |
| shrinkage | what the house took upon itself, at the price the customer would have paid |
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date

OTHER = "other"
MEASURES = (
    *("requests", "bill_nano", "metered_nano", "foreign_nano", "unpriced_nano", "outside_nano", "discount_nano"),
    *("late_nano", "paid_micros", "paid_nano", "markup_nano", "shrinkage_nano"),
)
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")

Key = tuple[date, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the three books say of one day and model. `is_bill_final`: the provider no longer changes the day."""

    bill_nano: int = 0
    metered_nano: int = 0
    foreign_nano: int = 0
    paid_micros: int = 0
    paid_nano: int = 0
    absorbed_nano: int = 0
    requests: int = 0
    tokens: int = 0
    is_bill_final: bool = True


@dataclass(frozen=True, slots=True)
class Gaps:
    """One line or sum of the books with every difference named."""

    requests: int = 0
    bill_nano: int = 0
    metered_nano: int = 0
    foreign_nano: int = 0
    unpriced_nano: int = 0
    outside_nano: int = 0
    discount_nano: int = 0
    late_nano: int = 0
    paid_micros: int = 0
    paid_nano: int = 0
    markup_nano: int = 0
    shrinkage_nano: int = 0


NOTHING = Gaps()


def explained(facts: Facts) -> Gaps:
    """Name the differences of one day and model."""
    rest = facts.bill_nano - facts.metered_nano - facts.foreign_nano
    late = 0 if facts.is_bill_final else rest
    is_unpriced = facts.metered_nano == 0 and facts.tokens > 0
    unpriced = rest - late if is_unpriced and rest > late else 0
    left = rest - late - unpriced
    return Gaps(
        requests=facts.requests,
        bill_nano=facts.bill_nano,
        metered_nano=facts.metered_nano,
        foreign_nano=facts.foreign_nano,
        unpriced_nano=unpriced,
        outside_nano=max(0, left),
        discount_nano=min(0, left),
        late_nano=late,
        paid_micros=facts.paid_micros,
        paid_nano=facts.paid_nano,
        markup_nano=facts.paid_nano + facts.absorbed_nano - facts.metered_nano,
        shrinkage_nano=facts.absorbed_nano,
    )


def added(parts: Iterable[Gaps]) -> Gaps:
    """Everything together."""
    sums = dict.fromkeys(MEASURES, 0)
    for part in parts:
        for name in MEASURES:
            sums[name] += getattr(part, name)
    return Gaps(**sums)


def difference(now: Gaps, then: Gaps) -> Gaps:
    """What has come since."""
    return Gaps(**{name: getattr(now, name) - getattr(then, name) for name in MEASURES})


def by_day(lines: Mapping[Key, Gaps]) -> dict[date, Gaps]:
    """The lines of each day together, in order."""
    found: dict[date, list[Gaps]] = defaultdict(list)
    for (day, _), line in lines.items():
        found[day].append(line)
    return {day: added(found[day]) for day in sorted(found)}


def by_model(lines: Mapping[Key, Gaps]) -> dict[str, Gaps]:
    """The lines of each model together, the costliest first."""
    found: dict[str, list[Gaps]] = defaultdict(list)
    for (_, model), line in lines.items():
        found[model].append(line)
    sums = {model: added(parts) for model, parts in found.items()}
    return dict(sorted(sums.items(), key=lambda one: (-max(one[1].bill_nano, one[1].metered_nano), one[0])))


def changed(now: Mapping[Key, Gaps], then: Mapping[Key, Gaps]) -> dict[Key, Gaps]:
    """Lines that are not what they were."""
    found = {key: difference(now.get(key, NOTHING), then.get(key, NOTHING)) for key in sorted({*now, *then})}
    return {key: line for key, line in found.items() if line != NOTHING}


def plain_model(name: str) -> str:
    """One name for a model on the bill, at the proxy and here: without its maker's prefix and its snapshot's day."""
    return _SNAPSHOT.sub("", name.rpartition("/")[2].casefold()) or OTHER


assert {field.name for field in fields(Gaps)} == set(MEASURES)
