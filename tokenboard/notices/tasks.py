"""The outbox's queue door: send one message; find again what a lost bell or a dead worker left behind."""

from __future__ import annotations

from tokenboard.core.clock import monotonic
from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.notices import service
from tokenboard.notices.models import Notice
from tokenboard.notices.rules import ATTEMPTS_MAX
from tokenboard.notices.sending import Undelivered, deliver

SWEEP_MESSAGES_MAX = 100
SWEEP_SECONDS_MAX = 60  # what is left waits for the next sweep


@task(service.SEND_TASK)
def send(notice_id: str) -> None:
    """Send a message if it is due and nobody else does. No transaction is open while the network is asked."""
    notice = service.take(notice_id)
    db.session.commit()
    if notice is not None:
        _attempt(notice)
        db.session.commit()


def _attempt(notice: Notice) -> None:
    if notice.attempts > ATTEMPTS_MAX:
        service.mark_failed(notice, "every worker that tried to send it died", is_final=True)
        return
    try:
        deliver(notice)
    except Undelivered as failure:
        service.mark_failed(notice, str(failure), is_final=failure.is_final)
    else:
        service.mark_sent(notice)


@task("notices.sweep")
def sweep() -> None:
    """Send what is due, here and now: it must work while the queue is away."""
    due = service.due_ids(SWEEP_MESSAGES_MAX)
    db.session.rollback()
    begun = monotonic()
    for notice_id in due:
        if monotonic() - begun > SWEEP_SECONDS_MAX:
            return
        send(notice_id)
