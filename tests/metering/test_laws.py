"""Five planted corruptions, one a law between usage, calls and the ledger: each is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.metering.calling import Told, begin, record, settle
from tests.people import People
from tokenboard.core.db import db
from tokenboard.metering import laws

CORRUPTIONS = {
    "M1": "UPDATE usage_record SET credits_micros = credits_micros + 1 WHERE credits_micros > 0",
    "M2": "UPDATE usage_record SET transaction_id = NULL, credits_micros = 0",
    "M3": "UPDATE metered_call SET state = 'settled', settled_at = started_at WHERE state = 'open'",
    "M4": "UPDATE usage_record SET absorbed_micros = 0",
    "M5": "UPDATE cap_window SET held_micros = held_micros + 1",
}


@pytest.fixture
def calls(shop: People) -> None:
    """A settled call, one the house paid for, one that is open."""
    paid = begin(shop)
    record(paid, "Yes.")
    settle(paid, usage=Told(9, 4))
    settle(begin(shop), "failed", usage=Told(9, 4))
    begin(shop)


def test_every_law_has_a_corruption_meant_for_it(calls):
    assert list(CORRUPTIONS) == [law.number for law in laws.METERING_LAWS]
    assert laws.check() == []


def test_the_page_about_metering_lists_every_law():
    page = (Path(__file__).resolve().parents[2] / "docs" / "metering.md").read_text(encoding="utf-8")
    listed = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| M")]
    assert listed == [law.number for law in laws.METERING_LAWS]


@pytest.mark.parametrize("law", CORRUPTIONS)
def test_a_planted_corruption_is_found_by_its_law(calls, law: str):
    db.session.execute(text(CORRUPTIONS[law]))
    assert law in {one.law for one in laws.check()}
    db.session.rollback()
    assert laws.check() == []
