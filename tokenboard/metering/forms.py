"""The shape of what metering's calls are asked."""

from __future__ import annotations

from pydantic import Field

from tokenboard.metering.usage_queries import LARGEST_PAGE
from tokenboard.web.api import Query


class UsageQuery(Query):
    """Which workspace's requests, and how many."""

    workspace_id: str | None = None
    limit: int = Field(50, ge=1, le=LARGEST_PAGE)
    cursor: str | None = Field(None, max_length=80)
