"""What each role may do to others. Pure: roles are words, the answer is a sentence or nothing.

Source: architecture.md, Ownership: an admin may all but deleting, transferring ownership and changing the owner.
"""

from __future__ import annotations

_ORDER = ("viewer", "member", "admin", "owner")
GRANTABLE = ("admin", "member", "viewer")
MOST_WORKSPACES = 50  # of one person; every page lists them
MOST_MEMBERS = 200  # of one workspace, open invitations included
INVITATION_DAYS = 7
LONGEST_NAME = 80


def rank(role: str) -> int:
    """Larger roles have larger ranks."""
    return _ORDER.index(role)


def allows(role: str, at_least: str) -> bool:
    """Whether a role may what the other one may."""
    return rank(role) >= rank(at_least)


def why_not_change(*, actor: str, target: str, is_self: bool) -> str | None:
    """Why the actor may not give the target another role or cap; None when they may."""
    if not allows(actor, "admin"):
        return "Only the owner and admins change roles."
    if target == "owner":
        return "The owner's role stays until ownership is transferred."
    if is_self:
        return "Nobody changes their own role."
    return None


def why_not_transfer(*, actor: str, target: str, is_personal: bool) -> str | None:
    """Why the actor may not make the target the owner; None when they may."""
    if actor != "owner":
        return "Only the owner hands a workspace over."
    if is_personal:
        return "Your own workspace stays yours. Make a separate one to share and hand over."
    return "This is the owner already." if target == "owner" else None


def why_not_remove(*, actor: str, target: str, is_self: bool) -> str | None:
    """Why the actor may not take the target out of the workspace; None when they may. Oneself: leaving."""
    if target == "owner":
        return "The owner cannot leave the workspace. Hand it over first."
    if is_self or allows(actor, "admin"):
        return None
    return "Only the owner and admins remove members."
