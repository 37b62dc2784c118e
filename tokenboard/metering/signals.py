"""The one signal of metering: a call is settled.

It rings inside the settling transaction, whoever settles (the process that ran the call, the sweeper, a deploy), with
the call's id as the sender and its usage fact as `fact`. Each receiver works in a savepoint of its own: what a room
above makes of a call's end must never cost the settlement, so a receiver's fault is logged and the room's own sweeper
finds the rest. Receivers must not commit and must not call a provider. A room that is not concerned with every call
says with which: a savepoint costs two round trips.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import blinker
from sqlalchemy.exc import OperationalError

from tokenboard.core.db import db
from tokenboard.metering.facts import UsageFact

log = logging.getLogger(__name__)

call_settled = blinker.Signal("A call was settled; the sender is its id.")
_concerns: dict[Callable[..., object], Callable[[UsageFact], bool]] = {}


def connect(receiver: Callable[..., object], *, concerns: Callable[[UsageFact], bool]) -> None:
    """Ring for the calls that concern a room. Connecting twice is connecting once."""
    _concerns[receiver] = concerns
    call_settled.connect(receiver)


def announce(fact: UsageFact) -> None:
    """Ring for one settled call. Raises: OperationalError, when the database went away."""
    for receiver in call_settled.receivers_for(fact.call_id):
        if receiver in _concerns and not _concerns[receiver](fact):
            continue
        try:
            with db.session.begin_nested():
                receiver(fact.call_id, fact=fact)
        except OperationalError:
            raise
        except Exception:  # a room's fault, whatever it is, must not undo the settlement
            log.exception("settled_call_not_taken", extra={"call_id": fact.call_id})
