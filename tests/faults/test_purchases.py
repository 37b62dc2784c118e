"""Real processes end by kill -9 at every step between event row, ledger row and answer; Redis goes, webhooks get lost.

Always exactly one grant in the end. Source: reference "Reliability", F2, F3 and section 7; "Stripe", case 20.
"""

from __future__ import annotations

import signal

import pytest

from tests.faults import points
from tests.faults.conftest import QueueServer
from tests.faults.town import PATIENCE_SECONDS, RECONCILE, SWEEP, Town, until

pytestmark = pytest.mark.slow

AT_ONCE_SECONDS = 3.5  # a webhook while Redis is gone (F3), on a crowded machine: redis-py alone would wait 3.8


def test_a_web_process_that_ends_around_its_commit_loses_no_event_and_doubles_none(lively: Town):
    lively.buy()
    for point, stored in zip(points.WEB, (0, 1, 1), strict=True):
        lively.order_end(point)
        status, _ = lively.knock()
        assert (lively.has_ended(), status, lively.events) == (True, None, stored), point
        until(lively.answers, "gunicorn starts another")

    assert lively.knock()[0] == 200
    assert (lively.events, lively.grants) == (1, 0)
    lively.hire(SWEEP)
    until(lambda: lively.grants, "the worker credits")

    assert lively.knock()[0] == 200
    assert (lively.credits, lively.events, lively.grants) == (100, 1, 1)


def test_a_worker_that_ends_at_any_step_credits_exactly_once_in_the_end(lively: Town):
    lively.buy()
    assert lively.knock()[0] == 200
    for point, granted in zip(points.WORKER, (0, 0, 0, 1), strict=True):
        lively.order_end(point)
        worker = lively.hire(SWEEP)
        assert worker.wait(PATIENCE_SECONDS) == -signal.SIGKILL, point
        assert (lively.has_ended(), lively.grants) == (True, granted), point

    lively.knock()
    worker = lively.hire(SWEEP)
    until(lambda: lively.waiting == 0, "everything is handled")

    assert worker.poll() is None
    assert (lively.credits, lively.events, lively.grants) == (100, 1, 1)


def test_without_redis_a_purchase_is_credited_by_the_sweeper(lonely: Town):
    lonely.hire(SWEEP)
    lonely.buy()

    status, seconds = lonely.knock()
    until(lambda: lonely.grants, "the sweeper credits")

    assert (status, seconds < AT_ONCE_SECONDS) == (200, True)
    assert (lonely.credits, lonely.grants) == (100, 1)


@pytest.mark.parametrize("trouble", ["emptied", "stopped"])
def test_a_redis_that_forgets_or_hangs_costs_no_credits(forgetful: Town, queue_server: QueueServer, trouble: str):
    forgetful.buy()
    if trouble == "stopped":
        queue_server.stop()

    status, seconds = forgetful.knock()
    assert (status, seconds < 2 * AT_ONCE_SECONDS) == (200, True)
    if trouble == "emptied":
        assert queue_server.empty() > 0
    forgetful.hire(SWEEP)
    until(lambda: forgetful.grants, "the sweeper credits")

    assert (forgetful.credits, forgetful.grants) == (100, 1)


def test_a_lost_webhook_is_mended_by_looking_and_by_the_reconciler(lively: Town):
    lively.control("webhooks", provider="stripe", lose=100)
    first = lively.buy()
    assert lively.look(first) == 303
    assert (lively.credits, lively.grants) == (100, 1)

    lively.buy()
    assert (lively.events, lively.grants) == (0, 1)
    lively.hire(RECONCILE)
    until(lambda: lively.grants == 2, "the reconciler credits")

    assert lively.look(first) == 303
    assert (lively.credits, lively.grants) == (200, 2)
