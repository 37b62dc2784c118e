"""Which budget holds, and when a step is reached."""

from __future__ import annotations

from datetime import date

import pytest

from tokenboard.core.clock import Month
from tokenboard.costs import budget_rules
from tokenboard.costs.forecast_rules import forecast
from tokenboard.costs.models import Budget

NOVEMBER = Month(2026, 11)


def test_the_named_month_wins_over_every_month():
    every, november = (
        Budget(project_id="", month="", amount_cents=1),
        Budget(project_id="", month="2026-11", amount_cents=2),
    )
    december, project = (
        Budget(project_id="", month="2026-12", amount_cents=3),
        Budget(project_id="p", month="", amount_cents=4),
    )

    in_force = budget_rules.in_force([november, every, december, project], NOVEMBER)

    assert in_force == {"": november, "p": project}


@pytest.mark.parametrize(
    ("spent", "steps"),
    [(49_999, []), (50_000, ["50"]), (80_000, ["50", "80"]), (100_000, ["50", "80", "100"]), (0, [])],
)
def test_a_step_is_reached_at_its_very_cent(spent: int, steps: list[str]):
    outlook = forecast(Month(2026, 10), date(2026, 11, 20), {}, None)

    assert budget_rules.steps_reached(100_000, spent, outlook) == steps
