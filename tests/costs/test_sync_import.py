"""What a sync run brings in: whole days, exactly, once."""

from __future__ import annotations

from tests.costs.syncing import Syncing
from tokenboard.costs.models import CostRow


def test_a_first_run_brings_180_days(syncing: Syncing):
    connection = syncing.connect()

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_message) == ("done", "")
    assert (run.days_done, run.days_total, len(syncing.days(connection))) == (180, 180, 180)
    rows = sum(row.amount_nano for row in syncing.rows(CostRow))
    assert rows == sum(syncing.days(connection).values()) > 0
    for dimension in ("project", "line_item", "api_key"):
        assert sum(syncing.totals(connection, dimension).values()) == rows
