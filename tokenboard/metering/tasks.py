"""The queue's door to metering: calls nobody runs any more are settled; prices are read again every hour.

Law: the upstream is asked outside any transaction.
"""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from tokenboard.audit.alerts import raise_alert, resolve_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, TokenBoardError
from tokenboard.core.jobs import task
from tokenboard.metering import price_service, queries, service
from tokenboard.metering.price_rules import ModelTold
from tokenboard.metering.price_service import Synced
from tokenboard.providers.chat_errors import ChatError
from tokenboard.web.clients import clients

log = logging.getLogger(__name__)

MOST_CALLS = 500  # a sweep; the next one goes on
_ALERT_KIND = "metering.prices_not_read"


@task("metering.sweep")
def sweep() -> None:
    """Settle what a dead process left open, each call in a transaction of its own. Idempotent."""
    lost = queries.lost_calls(MOST_CALLS)
    db.session.commit()
    settled = sum(_settle_lost(call_id) for call_id in lost)
    if settled:
        log.info("metering_swept", extra={"calls": settled})


def _settle_lost(call_id: str) -> bool:
    """One that cannot be settled must not keep the others waiting."""
    try:
        settled = service.settle_lost(call_id=call_id)
        db.session.commit()
    except (TokenBoardError, SQLAlchemyError):
        db.session.rollback()
        log.exception("lost_call_not_settled", extra={"call": call_id})
        return False
    return settled is not None


@task("metering.sync_prices")
def sync_prices() -> None:
    """Take over the upstream's models and prices. Idempotent; without an upstream there is nothing to do."""
    try:
        synced = sync_now()
    except NotConfigured as error:
        log.info("prices_not_read", extra={"why": error.message})
        return
    except ChatError as error:
        _tell(error)
        return
    log.info("prices_read", extra={"models": synced.models, "changes": len(synced.changed)})


def _tell(error: ChatError) -> None:
    raise_alert(
        _ALERT_KIND,
        subject="sync",
        severity="warning",
        message=f"The upstream's models and prices could not be read: {error.user_message} Known prices stay.",
    )
    db.session.commit()


def sync_now() -> Synced:
    """Read and take over, here and now. Raises: ChatError, NotConfigured."""
    told = clients().chat().models()
    synced = price_service.sync(told=told, listed=_listed)
    resolve_alert(_ALERT_KIND, subject="sync")
    db.session.commit()
    return synced


def rehearse_now() -> Synced:
    """Read, and say what would change. Raises: ChatError, NotConfigured."""
    told = clients().chat().models()
    return price_service.rehearse(told=told, listed=_listed)


def _listed(model: str) -> ModelTold | None:
    # Here and not above: reading the list takes half a second and 30 MB, which no web process needs.
    from tokenboard.providers.price_list import listed_price

    return listed_price(model, now())
