"""The dashboard's word about keys: which are near their budget. Only for who may have keys; one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenboard.accounts.models import Person
from tokenboard.keys import access as key_access, key_words, queries
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role


@dataclass(frozen=True, slots=True)
class NearKey:
    """A key that has used most of its budget."""

    name: str
    href: str
    text: str


def keys_near_limit(found: WorkspaceAccess, person: Person) -> Sequence[NearKey]:
    """The keys this person sees that have used four fifths of their budget or more."""
    if not found.allows(Role.MEMBER):
        return ()
    near = queries.near_limit(found.workspace.id, key_access.shown_to(found, person))
    return [_told(key.name, key.id, key_words.budget(key, used)) for key, used in near]


def _told(name: str, key_id: str, budget: key_words.Budget) -> NearKey:
    return NearKey(name, f"/keys/{key_id}", f"has used {budget.text} {budget.window}")
