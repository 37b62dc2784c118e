"""The first minutes in a workspace: three steps, each a real act, shown until all are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenboard.portal.dashboard_facts import Facts
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the strip."""

    label: str
    href: str
    is_done: bool
    is_current: bool


def steps(facts: Facts, found: WorkspaceAccess) -> Sequence[Step]:
    """Connect a key, see the first chart, set a budget. Nothing when done, in a demo, or for who may do none of it."""
    if found.workspace.is_demo or not found.allows(Role.ADMIN):
        return ()
    done = (
        ("Connect a provider key", "/settings/connections", bool(facts.live) or facts.has_bill),
        ("See your first chart", "", facts.has_bill),
        ("Set a budget", "/settings/budgets", bool(facts.budgets)),
    )
    if all(is_done for _, _, is_done in done):
        return ()
    current = next(index for index, (_, _, is_done) in enumerate(done) if not is_done)
    return tuple(Step(label, href, is_done, index == current) for index, (label, href, is_done) in enumerate(done))
