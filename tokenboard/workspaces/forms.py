"""What people and programs send to the doors of workspaces: shapes and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tokenboard.core.parsing import LONGEST_EMAIL, clean_text, parse_cents, parse_email, parse_id
from tokenboard.web.api import Body, limits
from tokenboard.workspaces.rules import LONGEST_NAME

LARGEST_CAP_CENTS = 10**11  # a thousand million dollars
GrantableRole = Literal["admin", "member", "viewer"]


def workspace_name(text: str) -> str:
    """One line of one to 80 characters."""
    return clean_text(text, longest=LONGEST_NAME, shortest=1)


def cap_cents(text: str) -> int | None:
    """A monthly cap in dollars as people type it; empty: none."""
    return parse_cents(text) if text.strip() else None


Name = Annotated[str, AfterValidator(workspace_name), limits(1, LONGEST_NAME)]
CapCents = Annotated[int | None, Field(ge=0, le=LARGEST_CAP_CENTS)]


class WorkspaceBody(Body):
    """A workspace's name."""

    name: Name


class InvitationBody(Body):
    """Whom to invite as what."""

    email: Annotated[str, AfterValidator(parse_email), limits(5, LONGEST_EMAIL, format="email")]
    role: GrantableRole = "member"
    monthly_cap_cents: CapCents = None


class MemberBody(Body):
    """What to change about a member; what is left out stays, a null cap takes the cap away."""

    role: GrantableRole | None = None
    monthly_cap_cents: CapCents = None


class TransferBody(Body):
    """Who is to own the workspace."""

    person_id: Annotated[str, AfterValidator(parse_id), limits(36, 36, format="uuid")]


class AcceptBody(Body):
    """The last part of an invitation's link."""

    token: str = Field(min_length=1, max_length=100)
