"""Billing's queue doors: handle the inbox, ask about open orders, keep the catalogue fresh.

Laws: a bell may ring twice or never; the row's lock lets one worker in; nobody is asked anything inside a transaction.
"""

from __future__ import annotations

import logging

from sqlalchemy.exc import IntegrityError

from tokenboard.billing import (
    catalogue_service,
    clawback_service,
    inbox_service,
    opening,
    payment_queries,
    promo_service,
    refunding,
    topping_up,
    topup_service,
)
from tokenboard.billing.asking import MOST_QUESTIONS, Answers
from tokenboard.billing.catalogue_service import Synced
from tokenboard.billing.errors import NeedsAnswer, NotYet, ProviderFailed, Refused
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, TokenBoardError
from tokenboard.core.jobs import task
from tokenboard.providers.payments import EventUnreadable, PaymentError
from tokenboard.providers.reading import Unreadable
from tokenboard.web.clients import clients

log = logging.getLogger(__name__)

BATCH = 100  # events or orders a sweep; the next one goes on
_LATER = (NotYet, EventUnreadable, Unreadable, PaymentError, NotConfigured, TokenBoardError, IntegrityError)


@task("billing.process_event")
def process_event(event_row_id: str) -> None:
    """Handle one event of the inbox. Idempotent: a handled one, or one that another worker has, is left alone."""
    answers = Answers()
    for _ in range(MOST_QUESTIONS):
        try:
            _handle(event_row_id, answers)
            return
        except NeedsAnswer as missing:
            db.session.rollback()
            if not _learned(event_row_id, answers, missing):
                return
        except _LATER as error:
            _put_off(event_row_id, error)
            return
        except Exception as error:
            # A fault of ours: kept for a retry with the fixed code, and the trace goes to the log.
            _put_off(event_row_id, error)
            raise
    _put_off(event_row_id, NotYet("It asks the provider too many questions."))


def _handle(event_row_id: str, answers: Answers) -> None:
    row = inbox_service.take(event_row_id)
    if row is not None:
        inbox_service.handle(row=row, answers=answers, providers=clients())
    db.session.commit()


def _learned(event_row_id: str, answers: Answers, missing: NeedsAnswer) -> bool:
    try:
        answers.learn(missing.question, clients())
    except (PaymentError, NotConfigured) as error:
        _put_off(event_row_id, error)
        return False
    return True


def _put_off(event_row_id: str, error: Exception) -> None:
    db.session.rollback()
    inbox_service.put_off(event_row_id=event_row_id, error=error)
    db.session.commit()
    log.warning("event_put_off", extra={"event_row": event_row_id, "error": type(error).__name__})


@task("billing.sweep")
def sweep() -> None:
    """Find again what a lost bell left behind: events that wait, orders whose provider should be asked."""
    waiting = inbox_service.due(BATCH)
    db.session.commit()
    for event_row_id in waiting:
        process_event(event_row_id)
    check_open_orders()
    adopt_orphans()
    finish_refunds()
    promo_service.forget_codes()
    db.session.commit()
    for workspace_id in _with_rules():
        top_up(workspace_id)


def _with_rules() -> list[str]:
    found = topup_service.enabled()
    db.session.commit()
    return found


def check_open_orders() -> None:
    """Ask about every order that is due, one after the other."""
    open_orders = payment_queries.due_for_check(now(), BATCH)
    db.session.commit()
    for payment_id in open_orders:
        check_payment(payment_id)


def adopt_orphans() -> None:
    """Money that went back in the moment in which its payment was credited: neither saw the other."""
    found = clawback_service.with_orphans(BATCH)
    db.session.commit()
    for payment_id in found:
        payment = payment_queries.locked(payment_id)
        clawback_service.adopt_orphans(payment=payment, cause="came with the credits")
        db.session.commit()


def finish_refunds() -> None:
    """Ask again for every refund whose answer was lost."""
    unanswered = refunding.due(BATCH)
    db.session.commit()
    for refund_id in unanswered:
        try:
            refunding.ask_again(refund_id=refund_id, providers=clients())
        except (ProviderFailed, NotConfigured) as error:
            db.session.rollback()
            log.warning("refund_not_answered", extra={"refund": refund_id, "error": error.message})


@task("billing.check_payment")
def check_payment(payment_id: str) -> None:
    """Ask the provider what became of one order, and when to ask again."""
    try:
        opening.check_now(payment_id, clients())
    except (ProviderFailed, NotConfigured) as error:
        db.session.rollback()
        log.warning("payment_not_checked", extra={"payment": payment_id, "error": error.message})
    except Refused as refusal:
        db.session.rollback()
        inbox_service.note_mismatch(payment_id=payment_id, why=refusal.why)
    opening.plan_next_check(payment_id)
    db.session.commit()


@task("billing.sync_prices")
def sync_prices() -> None:
    """Take over Stripe's catalogue."""
    try:
        synced = sync_catalogue()
    except (PaymentError, NotConfigured) as error:
        log.warning("prices_not_synced", extra={"error": str(error)})
        return
    log.info("prices_synced", extra={"prices": synced.prices, "skipped": len(synced.skipped)})


def sync_catalogue() -> Synced:
    """Raises: PaymentError, NotConfigured."""
    at = now().replace(microsecond=0)  # as events are dated: a change in this very second is newer than this list
    listed = list(clients().stripe().prices())  # whole, before anything is written
    synced = catalogue_service.sync(prices=listed, at=at)
    db.session.commit()
    return synced


@task("billing.top_up")
def top_up(workspace_id: str) -> None:
    """Buy a pack by itself, if it is time to."""
    try:
        topping_up.top_up(workspace_id, clients())
    except NotConfigured as error:
        db.session.rollback()
        log.warning("top_up_not_possible", extra={"workspace": workspace_id, "error": error.message})
