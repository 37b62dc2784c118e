"""What administrators send about people: a cap, a standing, a reason, a table of caps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import or_none, parse_cents, parse_id
from tokenboard.ops.caps_rules import LARGEST_CENTS, MOST_CHARACTERS
from tokenboard.web.api import Body, Query
from tokenboard.web.forms import fields, line

LONGEST_REASON, SHORTEST_REASON = 200, 3
CapCents = Annotated[int | None, Field(ge=0, le=LARGEST_CENTS)]


class PeopleQuery(Query):
    """Whom to list, and from where on."""

    q: str = Field("", max_length=260)
    standing: str = Field("", max_length=20, description="administrators, disabled or capped")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=60)


class PersonBody(Body):
    """Only what is named changes; a null budget takes the cap away."""

    monthly_budget_cents: CapCents = None
    is_admin: bool | None = None
    disabled: bool | None = None

    @property
    def names_budget(self) -> bool:
        return "monthly_budget_cents" in self.model_fields_set

    @property
    def is_delicate(self) -> bool:
        """Whether it says who may come in, or run the site."""
        return self.is_admin is not None or self.disabled is not None


@dataclass(frozen=True, slots=True)
class ViewForm:
    """Why somebody views as somebody else, and at which of their workspaces."""

    reason: str
    workspace_id: str


def read_cap(given: Mapping[str, str]) -> int | None:
    """A cap in dollars; empty: none. Raises: ValidationFailed."""
    return fields(given, cap=_cap)["cap"]  # type: ignore[no-any-return]


def _cap(text: str) -> int | None:
    typed = text.strip().replace(",", "")
    if not typed:
        return None
    cents = parse_cents(typed)
    if cents > LARGEST_CENTS:
        raise ValueError("A cap this large is none: leave it empty.")
    return cents


def read_view(given: Mapping[str, str]) -> ViewForm:
    """Raises: ValidationFailed."""
    reason = fields(given, reason=line(LONGEST_REASON, SHORTEST_REASON))["reason"]
    return ViewForm(reason, or_none(parse_id, given.get("workspace_id", "")) or "")


def read_table(typed: str, file: bytes) -> str:
    """The table of caps: the file where one was sent, else what was typed. Raises: ValidationFailed."""
    if not file:
        return typed[: MOST_CHARACTERS + 1]
    try:
        return file[: MOST_CHARACTERS * 4].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationFailed({"table": ["The file is not UTF-8 text."]}) from error
