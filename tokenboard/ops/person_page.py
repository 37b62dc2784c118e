"""One person for the operator, in finished texts: wallet and ledger, keys, cap, workspaces, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tokenboard.accounts import queries as accounts, second_factor_service
from tokenboard.accounts.models import Person
from tokenboard.accounts.queries import people_by_id
from tokenboard.core.clock import now
from tokenboard.core.errors import NotFound
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.keys import holder_queries, queries as keys, rules as key_rules
from tokenboard.keys.holder_queries import HeldKey
from tokenboard.ops import audit_words, people_page, people_queries
from tokenboard.ops.audit_words import ActLine
from tokenboard.ops.people_page import PersonLine
from tokenboard.ops.people_queries import Belonging
from tokenboard.wallet import queries as wallet
from tokenboard.wallet.credits_page import LedgerLine, ledger_line, money
from tokenboard.web.filters import credit_amount, plural

LEDGER_LINES, MOST_KEYS = 15, 50
KEY_TONES = {"active": ("ok", "check"), "paused": ("warn", "pause"), "expired": ("", "clock"), "revoked": ("", "x")}
_PAUSE_WORDS = {
    "person": "by its holder",
    "credits": "waits for credits",
    "leaver": "its holder left the workspace",
    "admin": "its holder is disabled",
}


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One of the person's keys."""

    name: str
    display: str
    workspace: str
    used: str
    most: str
    state: str
    tone: str
    icon: str
    why: str
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class WorkspaceLine:
    """One of the person's workspaces."""

    id: str
    name: str
    role: str
    credits: str
    cap: str
    href: str
    adjust_href: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Everything on the page."""

    id: str
    line: PersonLine
    worth: str
    is_me: bool
    is_gone: bool
    may_be_viewed: bool
    is_confirmed: bool
    has_factor: bool
    sessions: str
    cap_typed: str
    keys: tuple[KeyLine, ...]
    workspaces: tuple[WorkspaceLine, ...]
    shown: WorkspaceLine | None
    ledger: tuple[LedgerLine, ...]
    older_href: str
    newest_href: str
    acts: tuple[ActLine, ...]
    acts_href: str
    payments_href: str


def build(person: Person, *, me: str, workspace_id: str, cursor: str) -> PersonPage:
    """A fixed number of reads. Raises: NotFound (a workspace that is not theirs), ValidationFailed (a cursor)."""
    (row,) = people_queries.rows_of([person])
    places = people_queries.belongings(person.id)
    shown = _shown(places, workspace_id)
    own = f"{people_page.PATH}/{person.id}"
    page = wallet.statement(shown.workspace, kind=None, cursor=cursor or None, limit=LEDGER_LINES) if shown else None
    kept = f"{own}?workspace={shown.workspace.id}" if shown else own
    workspaces = tuple(_workspace(one, own, shown) for one in places)
    acts = people_queries.acts_about(person.id)
    names = {one_id: one.name for one_id, one in people_by_id({act.actor for act in acts}).items()}
    return PersonPage(
        id=person.id,
        line=people_page.line_of(row),
        worth=money(max(0, row.balance_micros)),
        is_me=person.id == me,
        is_gone=person.deleted_at is not None,
        may_be_viewed=not person.is_admin and person.deleted_at is None and person.id != me,
        is_confirmed=person.email_verified_at is not None,
        has_factor=second_factor_service.is_on(person.id),
        sessions=plural(len(accounts.live_sessions(person.id)), "session"),
        cap_typed=cap_typed(person.monthly_budget_cents),
        keys=_keys(person.id),
        workspaces=workspaces,
        shown=next((one for one in workspaces if one.is_shown), None),
        ledger=tuple(ledger_line(line) for line in page.lines) if page else (),
        older_href=f"{kept}&cursor={page.next_before}#ledger" if page and page.next_before else "",
        newest_href=f"{kept}#ledger" if cursor else "",
        acts=tuple(audit_words.line(act, names) for act in acts),
        acts_href=f"/admin/audit?who={person.id}",
        payments_href=f"/admin/payments?q={person.id}",
    )


def _shown(places: list[Belonging], workspace_id: str) -> Belonging | None:
    if not workspace_id:
        return places[0] if places else None
    wanted = or_none(parse_id, workspace_id)
    found = next((one for one in places if one.workspace.id == wanted), None)
    if found is None:
        raise NotFound
    return found


def cap_typed(cents: int | None) -> str:
    """A cap as it stands in the form's field."""
    return "" if cents is None else f"{Decimal(cents).scaleb(-2):.2f}"


def _workspace(one: Belonging, own: str, shown: Belonging | None) -> WorkspaceLine:
    workspace = one.workspace
    return WorkspaceLine(
        id=workspace.id,
        name=workspace.name,
        role=one.role,
        credits=credit_amount(one.balance_micros),
        cap=people_page.dollars(one.cap_cents),
        href=f"{own}?workspace={workspace.id}#ledger",
        adjust_href=f"/admin/adjust?who={workspace.id}",
        is_shown=shown is not None and shown.workspace.id == workspace.id,
    )


def _keys(person_id: str) -> tuple[KeyLine, ...]:
    held = holder_queries.held_by(person_id, limit=MOST_KEYS)
    used = keys.spent_now([one.key for one in held])
    return tuple(_key(one, used.get(one.key.id, 0)) for one in held)


def _key(one: HeldKey, used_micros: int) -> KeyLine:
    key = one.key
    state = key_rules.status_words(state=key.state, expires_at=key.expires_at, at=now())
    tone, icon = KEY_TONES[state]
    return KeyLine(
        name=key.name,
        display=one.display,
        workspace=one.workspace,
        used=credit_amount(used_micros),
        most="" if key.max_budget_micros is None else credit_amount(key.max_budget_micros),
        state=state,
        tone=tone,
        icon=icon,
        why=_PAUSE_WORDS.get(key.pause_reason, "") if state == "paused" else "",
        last_used_at=key.last_used_at,
    )
