"""Both feeds at once, while their workers are killed. The whole of it (10,000 records, 5 kills): see flood.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.keys.flood import run
from tests.people import People
from tests.sizes import sized


@pytest.mark.slow
def test_every_record_is_charged_once_whatever_dies(people: People, tmp_path: Path):
    settings = people.app.extensions["settings"]

    result = run(
        people, tmp_path, settings.database_url, settings.redis_url, records=sized(200, 600), kills=sized(2, 3)
    )

    assert result.faults == [], result.spoken()
    assert sum(result.deaths.values()) >= sized(2, 3)
