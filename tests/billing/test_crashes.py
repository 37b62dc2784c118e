"""Crashes at every step, many senders and workers at once, no queue: always exactly one grant."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.billing.events import deliver, event, session
from tests.billing.shop import Shop
from tokenboard.audit import service as audit
from tokenboard.billing import inbox_service, settlement_service, tasks
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.core import jobs
from tokenboard.core.db import db
from tokenboard.ledger import service as ledger

PAID = "checkout.session.completed"


def stored(app: Flask) -> list[InboxEvent]:
    with app.app_context():
        return list(db.session.scalars(db.select(InboxEvent)))


class Killed(BaseException):
    """The process ends here."""


def _dies(original: Callable[..., Any], *, is_after: bool) -> Callable[..., Any]:
    def dying(*given: Any, **named: Any) -> Any:
        if is_after:
            original(*given, **named)
        raise Killed

    return dying


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (inbox_service, "take"),
        (inbox_service, "handle"),
        (settlement_service, "settle_payment"),
        (settlement_service, "grant_lots"),
        (ledger, "grant"),
        (audit, "record"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_crash_at_any_step_leaves_exactly_one_grant_after_the_next_sweep(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, is_after: bool
):
    shop.order()
    with monkeypatch.context() as broken:
        broken.setattr(module, name, _dies(getattr(module, name), is_after=is_after))
        with pytest.raises(Killed):
            shop.tell(event(PAID, session()))
    assert shop.credits == 0

    shop.due()

    assert shop.credits == 100
    assert [row.state for row in stored(shop.app)] == ["done"]


def test_without_redis_the_answer_is_200_and_the_sweeper_credits(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(shop.app.extensions, "job_queue", jobs.JobQueue("redis://127.0.0.1:1/0"))
    shop.order()

    assert deliver(shop.app, event(PAID, session())).status_code == 200
    assert shop.credits == 0
    with shop.app.app_context():
        tasks.sweep()

    assert shop.credits == 100


def test_the_bell_credits_through_the_queue(shop: Shop, run_jobs: Callable[[], int]):
    shop.order()

    deliver(shop.app, event(PAID, session()))
    run_jobs()

    assert shop.credits == 100


def test_four_senders_and_three_workers_at_once_make_one_grant_a_purchase(shop: Shop):
    count = 12
    for number in range(count):
        shop.order(session_id=f"cs_{number}")
    told = [
        event(kind, session(f"cs_{number}", payment_intent=f"pi_{number}"))
        for number in range(count)
        for kind in (PAID, "checkout.session.async_payment_succeeded")
    ]
    deliveries = told * 2
    random.Random(4).shuffle(deliveries)
    barrier = threading.Barrier(7)

    def send(part: int) -> None:
        barrier.wait()
        for one in deliveries[part::4]:
            assert deliver(shop.app, one).status_code == 200

    def work() -> None:
        barrier.wait()
        with shop.app.app_context():
            for _ in range(6):
                tasks.sweep()
                db.session.remove()

    threads = [threading.Thread(target=send, args=(part,)) for part in range(4)]
    threads += [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shop.due()

    assert shop.credits == 100 * count
    assert {row.state for row in stored(shop.app)} == {"done"}


def test_the_same_event_in_many_workers_at_once_is_one_grant(shop: Shop):
    shop.order()
    told = event(PAID, session())
    deliver(shop.app, told)
    with shop.app.app_context():
        row_id = inbox_service.find(told["id"]).id
    barrier = threading.Barrier(5)

    def work() -> None:
        barrier.wait()
        with shop.app.app_context():
            tasks.process_event(row_id)
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shop.credits == 100
