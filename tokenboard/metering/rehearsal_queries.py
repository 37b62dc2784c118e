"""What everybody has used of one model, for the rehearsal of its price. Demo workspaces are left out."""

from __future__ import annotations

from sqlalchemy import func, select

from tokenboard.core.db import db
from tokenboard.metering.rehearsal_rules import Used
from tokenboard.metering.usage_models import UsageDay
from tokenboard.metering.usage_rules import Span
from tokenboard.workspaces.models import Workspace

_DAY = UsageDay.__table__.c
_SUMMED = ("requests", "prompt_tokens", "cached_tokens", "completion_tokens", "credits_micros", "cost_nano_usd")


def used(model: str, span: Span) -> list[Used]:
    """By workspace and door. One query, over the roll-ups."""
    sums = [func.sum(_DAY[name]) for name in _SUMMED]
    found = (
        select(_DAY.workspace_id, func.min(Workspace.name), _DAY.source, *sums)
        .join(Workspace, Workspace.id == _DAY.workspace_id)
        .where(_DAY.model == model, _DAY.day_on.between(span.first, span.last), Workspace.is_demo.is_(False))
        .group_by(_DAY.workspace_id, _DAY.source)
    )
    # PostgreSQL's sum of BIGINT is NUMERIC.
    rows = db.session.execute(found)
    return [Used(one, name, source, *(int(total) for total in totals)) for one, name, source, *totals in rows]
