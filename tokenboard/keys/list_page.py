"""The keys page in finished texts: the keys with their budgets, the form for a new one, what one pastes to use one.

Law: everything is read here, in a fixed number of queries; the template only places it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import select

from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.keys import access, key_words, queries, rules, snippets
from tokenboard.keys.answers import sync_words
from tokenboard.keys.key_words import Badge, Budget, Sync
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.queries import KeyLine
from tokenboard.keys.snippets import Snippet
from tokenboard.metering import price_queries
from tokenboard.metering.facts import Price
from tokenboard.web.clients import clients
from tokenboard.workspaces.access import WorkspaceAccess

PATH = "/keys"
SHOWN = 500
MOST_MODELS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key as the table shows it."""

    id: str
    href: str
    act_href: str  # pauses it, or resumes it
    name: str
    display: str
    whose: str
    state: Badge
    is_living: bool
    is_paused: bool
    budget: Budget
    models: str
    last_used_at: datetime | None
    last_used_from: str
    expires_at: datetime | None
    sync: Sync | None
    tags: Sequence[str]


@dataclass(frozen=True, slots=True)
class Tag:
    """A label, and the address of the keys that have it."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class KeysPage:
    """Everything the page prints."""

    living: Sequence[KeyRow]
    revoked: Sequence[KeyRow]
    shows_whose: bool
    has_models: bool
    has_upstream: bool
    proxy_mode: str
    is_proxy_away: bool
    models: Sequence[str]
    address: str
    snippets: Sequence[Snippet]
    tags: Sequence[Tag]
    tag: str  # the keys that are shown have it; '': all of them
    is_empty: bool  # whatever is filtered

    @property
    def has_proxy(self) -> bool:
        return self.proxy_mode != "off"


def build(found: WorkspaceAccess, person: Person, *, secret: str = "", tag: str = "") -> KeysPage:
    """The keys somebody may see. `secret`, a new key's, stands in what one pastes, this once."""
    whose = access.shown_to(found, person)
    lines = queries.lines(found.workspace.id, person_id=whose, limit=SHOWN)
    spent = queries.spent_now([line.key for line in lines])
    names = names_of([line.key.person_id for line in lines]) if whose is None else {}
    tags = tags_of([line.key for line in lines], found.workspace.id)
    chosen = tag if tag in {one.text for one in tags} else ""
    rows = [_row(line, spent.get(line.key.id, 0), names) for line in lines if not chosen or chosen in line.key.tags]
    offered = price_queries.all_offered()[:MOST_MODELS_SHOWN]
    return KeysPage(
        living=[row for row in rows if row.is_living],
        revoked=[row for row in rows if not row.is_living],
        shows_whose=whose is None and len({line.key.person_id for line in lines} - {person.id}) > 0,
        has_models=bool(offered),
        has_upstream=clients().mode("chat") != "off",
        proxy_mode=clients().mode("litellm"),
        is_proxy_away=any(row.sync is not None and row.sync.badge.text == "LiteLLM away" for row in rows),
        models=[price.model for price in offered],
        address=f"{settings().base_url}/v1",
        snippets=pasted(secret or _first_display(lines), offered),
        tags=tags,
        tag=chosen,
        is_empty=not lines,
    )


def tags_of(keys: Sequence[VirtualKey], workspace_id: str) -> list[Tag]:
    """The labels of these keys, by name, each once."""
    found = sorted({str(tag) for key in keys for tag in key.tags})
    return [Tag(one, f"{PATH}?{urlencode({'workspace_id': workspace_id, 'tag': one})}") for one in found]


def _row(line: KeyLine, spent_micros: int, names: Mapping[str, str]) -> KeyRow:
    key = line.key
    status = rules.status_words(state=key.state, expires_at=key.expires_at, at=now())
    word = sync_words(line.secret, line.target, has_proxy=clients().mode("litellm") != "off")
    return KeyRow(
        id=key.id,
        href=f"{PATH}/{key.id}",
        act_href=f"{PATH}/{key.id}/{'resume' if key.state == rules.KeyState.PAUSED else 'pause'}",
        name=key.name,
        display=line.secret.display,
        whose=names.get(key.person_id or "", "nobody any more"),
        state=key_words.badge(status),
        is_living=key.state != rules.KeyState.REVOKED,
        is_paused=key.state == rules.KeyState.PAUSED,
        budget=key_words.budget(key, spent_micros),
        models=key_words.models_words(key.models),
        last_used_at=key.last_used_at,
        last_used_from=key.last_used_from,
        expires_at=key.expires_at,
        sync=key_words.sync(word, key, line.secret, line.target),
        tags=[str(one) for one in key.tags],
    )


def names_of(person_ids: Sequence[str | None]) -> dict[str, str]:
    """What these people are called, by id. One query."""
    wanted = {one for one in person_ids if one}
    if not wanted:
        return {}
    return {person.id: person.name for person in db.session.scalars(select(Person).where(Person.id.in_(wanted)))}


def pasted(secret: str, offered: Sequence[Price], allowed: Sequence[str] = ()) -> tuple[Snippet, ...]:
    """The lines for each tool, with the cheapest model that chats and is allowed, if one is offered."""
    proxy = settings().litellm_base_url if clients().mode("litellm") == "live" else ""
    chatting = [one for one in offered if one.mode == "chat" and rules.allows_model(list(allowed), one.model)]
    model = min(chatting, key=lambda one: one.output_nano_per_mtok).model if chatting else ""
    return snippets.snippets(base_url=settings().base_url, secret=secret, model=model, litellm_url=proxy)


def _first_display(lines: Sequence[KeyLine]) -> str:
    """The letters of the key that was used last, to recognise it by."""
    living = [line for line in lines if line.key.state == rules.KeyState.ACTIVE]
    recent = sorted(living, key=lambda line: line.key.last_used_at or line.key.created_at, reverse=True)
    return recent[0].secret.display if recent else snippets.PLACEHOLDER
