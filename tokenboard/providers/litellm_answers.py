"""Reads the proxy's answers into frozen facts. Pure. Raises Unreadable with words about the field.

Source: reference "LiteLLM", sections 4 to 9; answers captured on 1.106.2 in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from tokenboard.core.money import AmountError, nano_from_usd
from tokenboard.providers.litellm_objects import ProxyCustomer, ProxyKey, ProxyUser
from tokenboard.providers.reading import Unreadable, id_of, list_of, object_of, text_of


def usd_nano(value: object, name: str) -> int:
    """USD as the proxy writes it, in nano-USD; null is 0. Never negative."""
    if value is None:
        return 0
    try:
        nano = nano_from_usd(value)
    except AmountError as error:
        raise Unreadable(f"{name}: {error}") from error
    if nano < 0:
        raise Unreadable(f"{name} is negative")
    return nano


def limit_nano(value: object, name: str) -> int | None:
    """A budget; null is no limit."""
    return None if value is None else usd_nano(value, name)


def moment(value: object, name: str) -> datetime | None:
    """An ISO text, with `Z`, an offset or neither (then UTC); or a unix time with a fraction. Null is None."""
    if value is None or value == "":
        return None
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _from_unix(Decimal(value), name)
    text = text_of(value, name) or ""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(f"{name} is not a time") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _from_unix(seconds: Decimal, name: str) -> datetime:
    if not seconds.is_finite() or not 946_684_800 <= seconds <= 4_102_444_800:  # the years 2000 to 2100
        raise Unreadable(f"{name} is not a time")
    whole = int(seconds)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=int((seconds - whole) * 1_000_000))


def whole(value: object) -> int | None:
    """A limit in requests or tokens; anything else is none."""
    return value if type(value) is int and value >= 0 else None


def key(row: Mapping[str, object], token: str = "") -> ProxyKey:
    """A key, from `/key/generate`, `/key/update`, or the `info` of `/key/info`."""
    models = list_of(row.get("models") or [], "models")
    return ProxyKey(
        token=token or id_of(row.get("token") or row.get("token_id"), "token"),
        alias=text_of(row.get("key_alias"), "key_alias") or "",
        display=text_of(row.get("key_name"), "key_name") or "",
        user_id=text_of(row.get("user_id"), "user_id"),
        spend_nano=usd_nano(row.get("spend"), "spend"),
        max_budget_nano=limit_nano(row.get("max_budget"), "max_budget"),
        is_blocked=row.get("blocked") is True,
        models=tuple(id_of(one, "model") for one in models),
        rpm_limit=whole(row.get("rpm_limit")),
        tpm_limit=whole(row.get("tpm_limit")),
        expires_at=moment(row.get("expires"), "expires"),
    )


def user(answer: Mapping[str, object]) -> ProxyUser:
    """A user, from `/v2/user/info` (flat) or `/user/info` (under `user_info`)."""
    row = object_of(answer.get("user_info") or answer, "user_info")
    return ProxyUser(
        id_of(row.get("user_id"), "user_id"),
        usd_nano(row.get("spend"), "spend"),
        limit_nano(row.get("max_budget"), "max_budget"),
    )


def customer(row: Mapping[str, object]) -> ProxyCustomer:
    """An end user, from `/customer/info`, `/customer/new` or `/customer/update`."""
    budget = object_of(row.get("litellm_budget_table") or {}, "litellm_budget_table")
    return ProxyCustomer(
        id_of(row.get("user_id"), "user_id"),
        usd_nano(row.get("spend"), "spend"),
        text_of(row.get("budget_id"), "budget_id"),
        limit_nano(budget.get("max_budget"), "max_budget"),
    )
