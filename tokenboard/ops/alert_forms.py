"""What administrators send about alerts: which to list, and one raised by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tokenboard.core.parsing import clean_text
from tokenboard.web.api import Body, Query
from tokenboard.web.forms import fields, line, one_of

LONGEST_MESSAGE = 300
Severity = Literal["info", "warning", "critical"]


def _message(text: str) -> str:
    return clean_text(text, longest=LONGEST_MESSAGE, shortest=3)


class AlertsQuery(Query):
    """Which alerts, and from where on."""

    status: str = Field("", max_length=20, description="open, acknowledged or resolved")
    severity: str = Field("", max_length=20, description="critical, warning or info")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=60)


class AlertBody(Body):
    """One raised by hand."""

    message: Annotated[str, Field(max_length=1_000), AfterValidator(_message)]
    severity: Severity = "warning"


def read_alert(given: Mapping[str, str]) -> tuple[str, Severity]:
    """Message and severity. Raises: ValidationFailed."""
    read = fields(given, message=line(LONGEST_MESSAGE, 3), severity=one_of("info", "warning", "critical"))
    return read["message"], read["severity"]
