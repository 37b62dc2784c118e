"""Whether LiteLLM says what it was told: differences in words, empty when there are none. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokenboard.core.money import usd_from_nano
from tokenboard.providers.litellm_objects import ProxyCustomer, ProxyKey, ProxyUser

GONE = "LiteLLM did not know it any more"
LONGEST_NOTE = 300


def key_drift(wanted: Mapping[str, Any], found: ProxyKey | None) -> str:
    """A secret against what its key was told."""
    if "deleted" in wanted or "gone" in wanted:
        return "LiteLLM still knew it" if found and "deleted" in wanted else ""
    if "lost" in wanted:
        return ""
    if found is None:
        return GONE
    parts = [_budget(wanted.get("max_budget_nano"), found.max_budget_nano)]
    if found.is_blocked != wanted.get("blocked"):
        parts.append("it was blocked" if found.is_blocked else "it was not blocked")
    if sorted(found.models) != sorted(wanted.get("models") or ()):
        parts.append("it had other models")
    if (found.rpm_limit, found.tpm_limit) != (wanted.get("rpm_limit"), wanted.get("tpm_limit")):
        parts.append("it had other rates")
    return _joined(parts)


def user_drift(wanted: Mapping[str, Any], found: ProxyUser | None) -> str:
    """A workspace's user against its budget."""
    return GONE if found is None else _budget(wanted.get("max_budget_nano"), found.max_budget_nano)


def customer_drift(wanted: Mapping[str, Any], found: ProxyCustomer | None) -> str:
    """A person's customer against the cap; one without a cap may be as traffic made it."""
    if wanted.get("max_budget_nano") is None:
        return ""
    return GONE if found is None else _budget(wanted["max_budget_nano"], found.max_budget_nano)


def _budget(wanted_nano: int | None, found_nano: int | None) -> str:
    if wanted_nano == found_nano:
        return ""
    return f"its budget was {_usd(found_nano)} instead of {_usd(wanted_nano)}"


def _usd(nano: int | None) -> str:
    return "none" if nano is None else f"{usd_from_nano(nano).normalize():f} USD"


def _joined(parts: list[str]) -> str:
    return ", ".join(filter(None, parts))


def note(drift: str, *, can_be_made_again: bool = True) -> str:
    """What was found and done, as a page shows it."""
    done = "Told again." if can_be_made_again else "It works at /v1; replace it to use it at LiteLLM."
    return f"{drift[:1].upper()}{drift[1:]}. {done}"[:LONGEST_NOTE]
