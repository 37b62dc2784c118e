"""Asking a model for a caller: held before anything is sent, settled once, like the chat.

Laws: what can be refused is refused before the provider is asked; a place in this process is taken before anything is
held; the answer lives in a generation that ends soon after its only listener left; no connection to the database is
kept while it runs.
"""

from __future__ import annotations

from tokenboard.core.db import db
from tokenboard.gateway import rates
from tokenboard.gateway.access import Caller
from tokenboard.gateway.forms import ChatAsked, EmbeddingAsked
from tokenboard.metering import service as metering
from tokenboard.metering.facts import CallOrder, OpenCall
from tokenboard.metering.generations import Generations
from tokenboard.metering.relaying import Generation
from tokenboard.metering.service import Settled
from tokenboard.providers.chat_client import ChatCall

# An embedding is one question without a stream: nobody renews its lease, so it has a long one.
EMBEDDING_LEASE_SECONDS = 330


def open_chat(*, caller: Caller, asked: ChatAsked) -> OpenCall:
    """Hold what the answer can cost. Raises: all that metering refuses."""
    _require_allowed(caller, asked.model)
    order = CallOrder(
        workspace=caller.workspace,
        person_id=caller.person_id,
        source=caller.source,
        model=asked.model,
        messages=asked.messages,
        max_output_tokens=asked.max_output_tokens,
        key_limit=caller.key_limit,
        is_background=caller.is_background,
        tool_bytes=asked.extra_bytes,
    )
    return metering.begin(order=order)


def _require_allowed(caller: Caller, model: str) -> None:
    """Raises: ModelNotAllowed, KeyRateReached."""
    caller.require_model(model)
    if caller.key is not None:
        rates.require_room(caller.key)


def start_chat(*, caller: Caller, asked: ChatAsked, call: OpenCall, generations: Generations) -> Generation:
    """Let the answer run; its hold is committed."""
    chat_call = ChatCall(
        call_id=call.id,
        model=asked.model,
        messages=asked.messages,
        max_output_tokens=call.max_output_tokens,
        end_user=caller.email,
        options=asked.options,
    )
    return generations.start(call, chat_call, on_settled=_nothing_more, is_bound=True)


def _nothing_more(_settled: Settled, _text: str) -> None:
    """Nothing of a gateway's answer is kept."""


def open_embedding(*, caller: Caller, asked: EmbeddingAsked) -> OpenCall:
    """Hold what the texts can cost. Raises: all that metering refuses."""
    _require_allowed(caller, asked.model)
    order = CallOrder(
        workspace=caller.workspace,
        person_id=caller.person_id,
        source=caller.source,
        model=asked.model,
        messages=[{"content": text} for text in asked.texts],
        max_output_tokens=1,
        key_limit=caller.key_limit,
        is_background=caller.is_background,
        lease_seconds=EMBEDDING_LEASE_SECONDS,
    )
    return metering.begin(order=order)


def end_session() -> None:
    """Give the connection back before anybody waits for a provider."""
    db.session.close()
