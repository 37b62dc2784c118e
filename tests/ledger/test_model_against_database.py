"""After every step of a random history the database says what the model says and every law holds, crashes included.

Each act may be cut off before or after any of its statements; nothing of it may be left, and the client repeats it with
the same key, as clients do.
`LEDGER_HISTORIES=10000 ./run test tests/ledger/test_model_against_database.py` is the long profile.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import House
from tests.ledger.crash_bench import standing_bench
from tests.ledger.histories import Histories
from tests.sizes import sized

HISTORIES = int(os.environ.get("LEDGER_HISTORIES") or sized(120, 500))
STEPS = 25


@pytest.mark.slow
def test_the_database_says_what_the_model_says_after_every_step_and_crash(sqlite_house: House):
    profile = settings(
        max_examples=HISTORIES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with standing_bench(sqlite_house) as bench:
        Histories.bench = bench
        run_state_machine_as_test(Histories, settings=profile)
