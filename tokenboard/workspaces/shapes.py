"""Shapes of answers about workspaces (answers.py), for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from tokenboard.web.shapes import Cents, Credits, EmailText, Id, Instant, Micros, Name, Shape, words

RoleName = Annotated[str, words("owner", "admin", "member", "viewer")]


class Workspace(Shape):
    """A workspace as its member sees it."""

    id: Id
    name: Name
    role: RoleName
    is_personal: bool
    is_demo: bool
    balance: Credits
    balance_micros: Micros
    created_at: Instant


class Member(Shape):
    """Somebody in a workspace; the id is the person's."""

    id: Id
    email: EmailText
    display_name: Name
    role: RoleName
    monthly_cap_cents: Cents | None
    created_at: Instant


class Invitation(Shape):
    """An open invitation. Its link goes to the invited address only."""

    id: Id
    email: EmailText
    role: RoleName
    monthly_cap_cents: Cents | None
    created_at: Instant
    expires_at: Instant
