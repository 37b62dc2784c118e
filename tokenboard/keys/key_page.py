"""One key's page in finished texts: what it may, how LiteLLM stands, its secrets, what happened to it.

Law: everything is read here, in a fixed number of queries; its use is in use_page.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tokenboard.accounts.models import Person
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import now
from tokenboard.keys import history_queries, key_forms, key_words, list_page, queries, rules
from tokenboard.keys.answers import sync_words
from tokenboard.keys.key_words import ACT_WORDS, ACTOR_WORDS, Badge, Budget, Sync
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.keys.snippets import Snippet
from tokenboard.metering import price_queries
from tokenboard.metering.worth import cents_of_micros
from tokenboard.web.clients import clients
from tokenboard.web.filters import ago

_PEOPLE = 36  # characters of a person's id: what else stands as an actor is a word


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One secret of the key: the newest, or one that is being replaced."""

    number: int
    display: str
    created_at: datetime
    state: Badge
    ends: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One act on the key."""

    at: datetime
    what: str
    who: str
    details: str


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Everything the page prints, but its use."""

    key: VirtualKey
    href: str
    display: str
    whose: str
    is_mine: bool
    state: Badge
    is_living: bool
    is_paused: bool
    pause_sentence: str
    budget: Budget
    limit: str
    models: str
    rates: str
    sync: Sync | None
    secrets: Sequence[SecretRow]
    history: Sequence[HistoryRow]
    choices: Sequence[str]
    snippets: Sequence[Snippet]
    form: dict[str, str]
    tags: Sequence[list_page.Tag]

    @property
    def has_proxy(self) -> bool:
        return self.sync is not None


def build(key: VirtualKey, person: Person, *, secret: str = "") -> KeyPage:
    """The page of a key that this person may see. `secret`, a fresh one, stands in what one pastes, this once."""
    secrets = queries.secrets_of(key.id)
    newest = secrets[-1]
    spent = queries.spent_now([key]).get(key.id, 0)
    acts = history_queries.history(key.workspace_id, key.id)
    names = list_page.names_of([key.person_id, *(one.actor for one in acts if len(one.actor) == _PEOPLE)])
    offered = price_queries.all_offered()[: list_page.MOST_MODELS_SHOWN]
    return KeyPage(
        key=key,
        href=f"{list_page.PATH}/{key.id}",
        display=newest.display,
        whose=names.get(key.person_id or "", "nobody any more"),
        is_mine=key.person_id == person.id,
        state=key_words.badge(rules.status_words(state=key.state, expires_at=key.expires_at, at=now())),
        is_living=key.state != rules.KeyState.REVOKED,
        is_paused=key.state == rules.KeyState.PAUSED,
        pause_sentence=key_words.pause_sentence(key.pause_reason),
        budget=key_words.budget(key, spent),
        limit=key_words.limit_words(key),
        models=key_words.models_words(key.models),
        rates=key_words.rate_words(key),
        sync=_sync(key, newest),
        secrets=[_secret(one) for one in reversed(secrets)],
        history=[_act(one, names) for one in acts],
        choices=sorted({price.model for price in offered} | {str(one) for one in key.models}),
        snippets=list_page.pasted(secret or newest.display, offered, key.models),
        form=shown_in_form(key),
        tags=list_page.tags_of([key], key.workspace_id),
    )


def _sync(key: VirtualKey, secret: KeySecret) -> Sync | None:
    target = queries.target("key", secret.id)
    word = sync_words(secret, target, has_proxy=clients().mode("litellm") != "off")
    return key_words.sync(word, key, secret, target)


def _secret(row: KeySecret) -> SecretRow:
    at = now()
    if row.revoked_at is not None:
        ends = f"ended {ago(row.revoked_at)}"
        return SecretRow(row.number, row.display, row.created_at, Badge("ended", "", "x"), ends, row.revoked_at)
    if row.valid_until is None:
        return SecretRow(row.number, row.display, row.created_at, Badge("in use", "ok", "check"), "", None)
    if row.valid_until <= at:
        state, ends = Badge("ended", "", "x"), f"ended {ago(row.valid_until)}"
    else:
        state, ends = Badge("being replaced", "warn", "clock"), f"ends {ago(row.valid_until)}"
    return SecretRow(row.number, row.display, row.created_at, state, ends, row.valid_until)


def _act(entry: AuditEntry, names: dict[str, str]) -> HistoryRow:
    who = names.get(entry.actor) or ACTOR_WORDS.get(entry.actor, "somebody")
    return HistoryRow(entry.created_at, ACT_WORDS.get(entry.act, entry.act), who, _details(entry))


def _details(entry: AuditEntry) -> str:
    facts = entry.facts or {}
    if entry.act == "keys.rotated":
        minutes = int(facts.get("overlap_minutes") or 0)
        return f"the old secret works for another {_minutes(minutes)}" if minutes else "the old secret ended at once"
    if entry.act == "keys.changed":
        return ", ".join(key_words.COLUMN_WORDS.get(name, name) for name in sorted(facts))
    if entry.act == "keys.paused":
        return {"credits": "no credits left", "leaver": "its holder left"}.get(str(facts.get("reason")), "")
    return ""


def _minutes(minutes: int) -> str:
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0 and minutes >= size:
            count = minutes // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{minutes} minutes"


def shown_in_form(key: VirtualKey) -> dict[str, str]:
    """The limits as the form shows them."""
    cents = cents_of_micros(key.max_budget_micros) if key.max_budget_micros is not None else 0
    return {
        "name": key.name,
        "budget": "none" if key.max_budget_micros is None else "limited",
        "amount": f"{cents // 100}.{cents % 100:02d}" if cents else "",
        "window": str(key.budget_window),
        "expires_on": key_forms.last_day(key.expires_at) if key.expires_at else "",
        "which": "some" if key.models else "all",
        "rpm": str(key.rpm_limit or ""),
        "tpm": str(key.tpm_limit or ""),
        "allowed_ips": "\n".join(str(one) for one in key.allowed_ips),
        "tags": ", ".join(str(one) for one in key.tags),
    }
