"""From a request to an answer that is being written: shared by the JSON door and the page's.

Laws: a process that writes as many answers as it can says so before anybody is looked up: no connection is waited for.
What can be refused by looking is refused before the writing transaction, which is short: on a busy wallet all others
wait for it. A place in this process is asked for before anything is held, the provider's client before that; the answer
begins only after the commit. A process that dies in between leaves an open call that the sweeper settles for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from tokenboard.chat import service
from tokenboard.chat.errors import AskedAtOnce
from tokenboard.chat.service import Asked, Wish
from tokenboard.core.db import db, set_read_only, writing
from tokenboard.metering.facts import Settled
from tokenboard.metering.generations import generations
from tokenboard.providers.chat_client import ChatCall
from tokenboard.web.clients import clients
from tokenboard.web.errors import wants_json
from tokenboard.web.fragments import is_fragment_request
from tokenboard.workspaces.made_up import require_real

View = TypeVar("View", bound=Callable[..., Any])

_TRIES = 3


def looks_first(view: View) -> View:
    """A door that only reads until `begin` writes. Rows that were read stay readable, and are not to be changed.

    Raises: Busy. A whole page is drawn all the same, around the refusal and what was typed (`begin` says it then).
    """

    @wraps(view)
    def guarded(**path: Any) -> Any:
        set_read_only(True)
        if wants_json() or is_fragment_request():
            generations().refuse_if_crowded()
        return view(**path)

    return guarded  # type: ignore[return-value]


def begin(wish: Wish, ask: Callable[[], Asked]) -> Asked:
    """Do what a service asks, commit, and let the answer run. Lost races are tried again.

    Raises: NotConfigured, MadeUp, Busy, and all that the service refuses.
    """
    clients().chat()
    require_real(is_demo=wish.workspace.is_demo)
    service.refuse_unpayable(wish=wish)
    generations().refuse_if_full()
    db.session.close()
    with writing():
        asked = _committed(ask)
    if asked.call is not None:
        order = ChatCall(
            call_id=asked.call.id,
            model=asked.call.model,
            messages=asked.messages,
            max_output_tokens=asked.call.max_output_tokens,
            end_user=wish.person.email,
        )
        generations().start(asked.call, order, on_settled=_already_told)
    return asked


def _committed(ask: Callable[[], Asked]) -> Asked:
    for _ in range(_TRIES - 1):
        try:
            asked = ask()
            db.session.commit()
        except AskedAtOnce:
            db.session.rollback()
        else:
            return asked
    asked = ask()
    db.session.commit()
    return asked


def _already_told(_settled: Settled, _text: str) -> None:
    """The message was closed by `closing.py`, within the settlement."""


def stop(message_id: str) -> None:
    """Ring the process that writes an answer; after the commit of `service.stop`."""
    generations().stop(message_id)
