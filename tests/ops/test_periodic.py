"""When a periodic job is due, and how the queue knows that firing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st
from rq.job import validate_job_id

from tokenboard.core import jobs
from tokenboard.ops.periodic import Periodic, job_id, latest_slot
from tokenboard.schedule import PERIODIC

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("cron", "instant", "slot"),
    [
        ("* * * * * */20", "12:00:19.9", "12:00:00"),
        ("* * * * * */20", "12:00:20.0", "12:00:20"),
        ("* * * * * */20", "12:00:59.9", "12:00:40"),
        ("7 * * * *", "12:06:59", "11:07:00"),
        ("7 * * * *", "12:07:00", "12:07:00"),
        ("0 2 * * *", "12:00:00", "02:00:00"),
    ],
)
def test_the_newest_slot_that_has_come_counts(cron: str, instant: str, slot: str):
    day = "2026-11-20T"

    assert latest_slot(cron, datetime.fromisoformat(f"{day}{instant}+00:00")) == datetime.fromisoformat(
        f"{day}{slot}+00:00"
    )


@given(st.sampled_from(PERIODIC), INSTANTS)
def test_a_slot_is_never_in_the_future_and_stays_the_same_when_asked_again(periodic: Periodic, instant: datetime):
    slot = latest_slot(periodic.cron, instant)

    assert slot <= instant
    assert latest_slot(periodic.cron, slot) == slot


@given(st.sampled_from(PERIODIC), INSTANTS)
def test_the_queue_takes_every_name(periodic: Periodic, instant: datetime):
    validate_job_id(job_id(periodic.name, latest_slot(periodic.cron, instant)))


def test_every_periodic_job_has_its_own_name_and_a_task_that_exists(sqlite_app):
    names = [periodic.name for periodic in PERIODIC]

    assert len(set(names)) == len(names)
    assert {periodic.task for periodic in PERIODIC} <= set(jobs.task_names())


def test_every_sweeper_runs_without_the_queue_and_so_do_reading_spend_and_the_monitoring_log():
    sweepers = {one.task for one in PERIODIC if one.task.endswith(".sweep") or ".sweep_" in one.task}

    assert {one.task for one in PERIODIC if one.runs_without_queue} == sweepers | {"keys.read_spend", "ops.watch"}
