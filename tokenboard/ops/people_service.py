"""What an administrator does to people, over all rooms: keep somebody out with their keys, set many caps at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenboard.accounts import standing_service
from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.keys import holder_service
from tokenboard.ops import people_queries
from tokenboard.ops.caps_rules import CapLine


@dataclass(frozen=True, slots=True)
class CapChange:
    """One person's cap, as it is and as it is to be, in US cents."""

    person: Person
    before_cents: int | None
    after_cents: int | None


@dataclass(frozen=True, slots=True)
class CapPlan:
    """What a file of caps would change; `unknown` are addresses that belong to nobody."""

    changes: tuple[CapChange, ...]
    unchanged: int
    unknown: tuple[str, ...]


def disable(*, person: Person, actor: Person) -> int:
    """Keep somebody out: sessions end, keys pause. How many keys. Idempotent. Raises: as standing_service."""
    standing_service.disable(person=person, actor=actor)
    return holder_service.pause_all(person_id=person.id, actor=actor.id)


def enable(*, person: Person, actor: Person) -> int:
    """Let somebody in again, and their keys with them. How many keys. Idempotent. Raises: as standing_service."""
    standing_service.enable(person=person, actor=actor)
    return holder_service.resume_all(person_id=person.id, actor=actor.id)


def plan_caps(lines: Sequence[CapLine]) -> CapPlan:
    """Compare a file with what is set. Writes nothing."""
    people = people_queries.by_emails(line.email for line in lines)
    known = [(people[line.email], line.cents) for line in lines if line.email in people]
    changes = [CapChange(one, one.monthly_budget_cents, cents) for one, cents in known]
    moving = tuple(change for change in changes if change.before_cents != change.after_cents)
    unknown = tuple(line.email for line in lines if line.email not in people)
    return CapPlan(moving, len(changes) - len(moving), unknown)


def apply_caps(*, plan: CapPlan, actor: Person) -> int:
    """Set what the plan says; each person's entry stands in the audit log, and one for the whole. How many."""
    for change in plan.changes:
        standing_service.set_budget(person=change.person, cents=change.after_cents, actor=actor.id)
    facts = {"people": len(plan.changes)}
    audit.record("ops.caps_imported", actor=actor.id, subject="", facts=facts)
    return len(plan.changes)
