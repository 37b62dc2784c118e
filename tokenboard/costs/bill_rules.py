"""How a bill is split and named: by model, shares of a whole, names that stay apart. Pure.

Laws: a split loses nothing: the parts of any grouping sum to what was given, to the nano-dollar; shares of a positive
whole sum to exactly one. The bill itself names no model: a line item belongs to the model its text begins with, where
that model was seen in usage; the rest is `other` (api.md, breakdown).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

OTHER = "other"
SHARE_UNITS = 1_000_000  # six decimals are more than any bar shows

# What may go on inside a model's name: `gpt-4o` is not the beginning of `gpt-4o-mini, input`.
_NAME_GOES_ON = re.compile(r"[\w.:/@-]")

K = TypeVar("K", bound=Hashable)


class By(StrEnum):
    """What a bill can be split by."""

    PROJECT = "project"
    LINE_ITEM = "line_item"
    MODEL = "model"  # derived from line items, see above
    API_KEY = "api_key"


# What stands where the provider named nothing.
NAMELESS = {
    By.PROJECT: "No project",
    By.LINE_ITEM: "Unnamed line item",
    By.MODEL: "Unnamed model",
    By.API_KEY: "No API key",
}


@dataclass(frozen=True, slots=True)
class ModelNames:
    """The models that usage has named, longest first, so that the longest fitting one wins."""

    folded: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, models: Iterable[str]) -> ModelNames:
        """Names differing in case only are one model: the first in the alphabet is shown."""
        seen: dict[str, str] = {}
        for model in sorted(filter(None, models)):
            seen.setdefault(model.casefold(), model)
        return cls(tuple(sorted(seen.items(), key=lambda pair: (-len(pair[0]), pair[0]))))

    def model_of(self, line_item: str) -> str:
        """The model a line item is about, or `other`."""
        text = line_item.casefold()
        for folded, model in self.folded:
            if text.startswith(folded) and not _NAME_GOES_ON.match(text[len(folded) : len(folded) + 1]):
                return model
        return OTHER


def sums(amounts: Iterable[tuple[K, int]]) -> dict[K, int]:
    """Amounts added up by key."""
    found: dict[K, int] = {}
    for key, amount in amounts:
        found[key] = found.get(key, 0) + amount
    return found


def shares(amounts: Sequence[int]) -> list[Decimal]:
    """Each amount's part of the whole, six decimals, by largest remainder: together exactly 1.

    Credit notes make shares below zero and above one, as they are. A whole of zero or less has no shares: all zero.
    """
    whole = sum(amounts)
    if whole <= 0:
        return [Decimal(0)] * len(amounts)
    parts = [divmod(amount * SHARE_UNITS, whole) for amount in amounts]
    missing = SHARE_UNITS - sum(units for units, _ in parts)
    by_remainder = sorted(range(len(parts)), key=lambda index: (-parts[index][1], index))
    lifted = set(by_remainder[:missing])
    return [Decimal(units + (index in lifted)).scaleb(-6) for index, (units, _) in enumerate(parts)]


def display_names(by: By, keys: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """What to call each key: the provider's name, else its id; two keys of one name carry their ids behind it."""
    plain = {key: _plain_name(by, key, names) for key in keys}
    marked = _told_apart(plain)
    return marked if len(set(marked.values())) == len(marked) else _told_apart(marked)


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    counted = Counter(names.values())
    return {key: name if counted[name] == 1 else f"{name} ({key or 'none'})" for key, name in names.items()}


def _plain_name(by: By, key: str, names: Mapping[str, str]) -> str:
    if by is By.MODEL and key == OTHER:
        return "Other line items"
    return names.get(key) or key or NAMELESS[by]
