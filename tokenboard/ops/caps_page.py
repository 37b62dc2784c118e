"""What a table of caps would change, in finished texts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tokenboard.ops.people_page import dollars
from tokenboard.ops.people_service import CapPlan
from tokenboard.web.filters import number, plural

MOST_SHOWN, MOST_FAULTS = 200, 20
NO_CAP = "no cap"


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One person's cap, before and after."""

    href: str
    name: str
    email: str
    before: str
    after: str
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class CapsPage:
    """Everything on the page. Without a plan it only asks for a table."""

    has_plan: bool
    lines: tuple[ChangeLine, ...]
    more: str
    summary: str
    button: str
    unknown: tuple[str, ...]
    unknown_words: str
    has_moved: bool
    seen: str


def build(plan: CapPlan | None, *, has_moved: bool) -> CapsPage:
    """Reads nothing: the plan has been made."""
    if plan is None:
        return CapsPage(False, (), "", "", "", (), "", False, "")
    shown = plan.changes[:MOST_SHOWN]
    count = len(plan.changes)
    lines = tuple(
        ChangeLine(
            href=f"/admin/users/{one.person.id}",
            name=one.person.name,
            email=one.person.email,
            before=dollars(one.before_cents) or NO_CAP,
            after=dollars(one.after_cents) or NO_CAP,
            is_disabled=one.person.is_disabled,
        )
        for one in shown
    )
    changing = f"{plural(count, 'cap')} would change" if count else "Nothing would change"
    return CapsPage(
        has_plan=True,
        lines=lines,
        more=f"and {number(count - MOST_SHOWN)} more" if count > MOST_SHOWN else "",
        summary=f"{changing}, {number(plan.unchanged)} stay as they are.",
        button=f"Set {plural(count, 'cap')}" if count and not plan.unknown else "",
        unknown=plan.unknown[:MOST_FAULTS],
        unknown_words=f"{plural(len(plan.unknown), 'address', 'addresses')} of nobody here",
        has_moved=has_moved,
        seen=fingerprint_of(plan),
    )


def fingerprint_of(plan: CapPlan) -> str:
    """What was shown, so that nothing else is set by the button below it."""
    told = ";".join(f"{one.person.id}:{one.before_cents}:{one.after_cents}" for one in plan.changes)
    return hashlib.sha256(told.encode()).hexdigest()
