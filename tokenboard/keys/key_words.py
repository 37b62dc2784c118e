"""Keys in words: their state, their budget, how LiteLLM stands, what happened to them. Finished texts, no reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tokenboard.keys.models import KeySecret, MirrorTarget, VirtualKey
from tokenboard.keys.rules import Window
from tokenboard.wallet.credits_page import exact, money
from tokenboard.web.filters import ago, number
from tokenboard.web.meters import BudgetBar, budget_bar

WINDOW_WORDS = {Window.TOTAL: "in all", Window.DAY: "today", Window.MONTH: "this month"}
_EACH = {Window.TOTAL: "in all", Window.DAY: "a day", Window.MONTH: "a month"}
_STATES = {
    "active": ("active", "ok", "check"),
    "paused": ("paused", "warn", "pause"),
    "expired": ("expired", "bad", "clock"),
    "revoked": ("revoked", "", "x"),
}
_PAUSED = {
    "person": "Somebody paused it here. Programs that use it are refused until it is resumed.",
    "credits": "It used more credits than the workspace has. It resumes by itself once credits are added.",
    "leaver": "Whoever held it has left the workspace. Resume it to keep it going, or revoke it.",
    "admin": "An administrator of this site paused it.",
}
ACT_WORDS = {
    "keys.created": "Made",
    "keys.changed": "Limits changed",
    "keys.paused": "Paused",
    "keys.resumed": "Resumed",
    "keys.rotated": "Rotated",
    "keys.revoked": "Revoked",
    "keys.naming_allowed": "May name people",
    "keys.naming_ended": "May no longer name people",
}
COLUMN_WORDS = {
    "name": "name",
    "max_budget_micros": "budget",
    "budget_window": "window of the budget",
    "models": "models",
    "rpm_limit": "requests a minute",
    "tpm_limit": "tokens a minute",
    "expires_at": "end",
    "allowed_ips": "addresses",
    "tags": "tags",
}
ACTOR_WORDS = {"ledger": "by itself", "leaver": "by itself", "mirror": "by itself", "spend": "by itself"}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state: its word, its tone, its icon."""

    text: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class Sync:
    """How LiteLLM stands with a key: a badge, a sentence, and what the last comparison found."""

    badge: Badge
    sentence: str
    drift: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a key has used of what it may."""

    text: str
    spent: str
    of: str
    window: str
    exact: str
    bar: BudgetBar | None = None
    bar_text: str = ""
    is_near: bool = False


def badge(status: str) -> Badge:
    return Badge(*_STATES[status])


def pause_sentence(reason: str) -> str:
    return _PAUSED.get(reason, "")


def budget(key: VirtualKey, spent_micros: int) -> Budget:
    """Spent of allowed. Without a budget of its own the wallet is the limit, and there is no bar."""
    window, limit = WINDOW_WORDS[Window(key.budget_window)], key.max_budget_micros
    spent, every_digit = money(spent_micros), f"{exact(spent_micros)} used {window}"
    if limit is None:
        return Budget(f"{spent} {window}", spent, "no limit of its own", window, every_digit)
    text = f"{spent} of {money(limit)}"
    return Budget(
        text=text,
        spent=spent,
        of=f"of {money(limit)}",
        window=window,
        exact=every_digit,
        bar=budget_bar(spent=spent_micros, forecast=spent_micros, limit=max(limit, 1)),
        bar_text=f"{text} used {window}",
        is_near=spent_micros * 5 >= limit * 4,
    )


def limit_words(key: VirtualKey) -> str:
    """$10.00 a month; none of its own."""
    if key.max_budget_micros is None:
        return "none of its own"
    return f"{money(key.max_budget_micros)} {_EACH[Window(key.budget_window)]}"


def rate_words(key: VirtualKey) -> str:
    """60 requests and 10,000 tokens a minute."""
    parts = [(key.rpm_limit, "requests"), (key.tpm_limit, "tokens")]
    said = " and ".join(f"{number(limit)} {what}" for limit, what in parts if limit is not None)
    return f"{said} a minute" if said else "none of its own"


def models_words(models: list[Any]) -> str:
    """All; gpt-4o; gpt-4o and 3 more."""
    if not models:
        return "all"
    return str(models[0]) if len(models) == 1 else f"{models[0]} and {len(models) - 1} more"


def sync(word: str, key: VirtualKey, secret: KeySecret, target: MirrorTarget | None) -> Sync | None:
    """None where there is no LiteLLM, so that nothing is to be said."""
    if word == "off":
        return None
    drift = target.drift_note if target else ""
    if word == "synced" and target is not None:
        told = f", told {ago(target.sent_at)}" if target.sent_at else ""
        what = "has forgotten this key" if _is_gone(key, secret) else "knows this key and its limits"
        return Sync(Badge("in step", "ok", "check"), f"LiteLLM {what}{told}.{_but(key, secret)}", drift)
    if word == "lost":
        return Sync(Badge("unknown there", "bad", "circle-alert"), _LOST, drift)
    if word == "failing" and target is not None:
        again = _again(target.next_attempt_at)
        return Sync(Badge("LiteLLM away", "warn", "wifi-off"), f"{_away(key, secret)} {again}", drift)
    return Sync(Badge("being told", "accent", "clock"), f"{_pending(key, secret)}{_but(key, secret)}", drift)


_LOST = (
    "LiteLLM does not know this key any more, and only its hash is kept here, so LiteLLM cannot be told again. "
    "The key works at /v1. Rotate it to use it at LiteLLM too."
)


def _is_gone(key: VirtualKey, secret: KeySecret) -> bool:
    return key.state == "revoked" or secret.revoked_at is not None


def _but(key: VirtualKey, secret: KeySecret) -> str:
    if not key.allowed_ips or _is_gone(key, secret):
        return ""
    return " LiteLLM is told no list of addresses: straight there the key works from anywhere."


def _away(key: VirtualKey, secret: KeySecret) -> str:
    if _is_gone(key, secret):
        return "LiteLLM cannot be reached, so it may still let this key in. Here, at /v1, it opens nothing any more."
    return "LiteLLM cannot be reached. At /v1 the key works with its newest limits; LiteLLM has not heard of them yet."


def _again(next_at: datetime) -> str:
    when = ago(next_at)
    return f"It is tried again {when}." if when.startswith("in ") else "It is tried again within seconds."


def _pending(key: VirtualKey, secret: KeySecret) -> str:
    if _is_gone(key, secret):
        return "LiteLLM is being told to forget this key. Here, at /v1, it opens nothing any more."
    return "LiteLLM is being told, which takes seconds. At /v1 the key works already."
