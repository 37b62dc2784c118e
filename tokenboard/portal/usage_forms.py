"""What the JSON calls about usage may be asked."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tokenboard.core import clock
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import clean_text, parse_id
from tokenboard.costs.report_forms import DayText
from tokenboard.metering.usage_queries import LARGEST_PAGE
from tokenboard.metering.usage_rules import Filters, Span
from tokenboard.portal.usage_view import LONGEST_CURSOR, LONGEST_MODEL, USUAL_DAYS, last_days
from tokenboard.web.api import Query

SourceWord = Literal["chat", "gateway", "key", "openwebui", "openwebui_direct"]
StatusWord = Literal["ok", "stopped", "length", "interrupted", "failed", "refused"]
ByWord = Literal["model", "key", "user", "source", "day"]
IdText = Annotated[str, Field(max_length=36), AfterValidator(parse_id)]
ModelText = Annotated[str, Field(max_length=LONGEST_MODEL), AfterValidator(partial(clean_text, longest=LONGEST_MODEL))]


class SpanQuery(Query):
    """Which workspace's use, of which days: the last thirty when none are named."""

    workspace_id: str | None = None
    first: DayText | None = Field(None, alias="from")
    last: DayText | None = Field(None, alias="to")
    model: ModelText | None = None
    source: SourceWord | None = None
    key_id: IdText | None = None
    user_id: IdText | None = None
    format: Literal["json", "csv"] = "json"

    def span(self) -> Span:
        """Raises: ValidationFailed."""
        last = self.last or max(self.first or clock.today(), clock.today())
        first = self.first or last_days(USUAL_DAYS, last).first
        if first > last:
            raise ValidationFailed({"from": ["It comes after `to`."]})
        return Span(first, last)

    def filters(self) -> Filters:
        return Filters(person_id=self.user_id, source=self.source, key_id=self.key_id, model=self.model)


class UsageSummaryQuery(SpanQuery):
    by: ByWord = "model"


class UsageLogsQuery(SpanQuery):
    status: StatusWord | None = None
    conversation_id: IdText | None = None
    limit: int = Field(50, ge=1, le=LARGEST_PAGE)
    cursor: str | None = Field(None, max_length=LONGEST_CURSOR)
