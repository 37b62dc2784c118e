"""Everything a chat upstream does wrong, one by one: what the client gives out, and which fact it tells."""

from __future__ import annotations

import socket

import pytest

from tests.providers.raw_upstream import SHORT
from tests.providers.stand_in import StandIn
from tokenboard.providers.chat_client import ChatCall, ChatClient, ChatLimits, Piece, TokenUsage
from tokenboard.providers.chat_errors import ChatError
from tokenboard.sandbox.chat_faults import CLOSED_ADDRESS, FAULTS, ChatFault

QUICK = ChatLimits(
    connect_seconds=5, backoff_seconds=0, first_byte_seconds=0.3, silence_seconds=0.3, ending_seconds=0.1
)


def upstream_of(fault: ChatFault, stand_in: StandIn) -> ChatClient:
    """The sandbox, or the place where no upstream answers."""
    limits = QUICK if fault.is_slow else SHORT
    return ChatClient(_address(fault) or f"{stand_in.url}/litellm", "sk-sandbox", limits=limits)


def _address(fault: ChatFault) -> str:
    if fault.address != CLOSED_ADDRESS:
        return fault.address
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def usage_word(usage: TokenUsage | None) -> str:
    if usage is None:
        return "none"
    if usage.is_odd:
        return "odd"
    return "told" if usage.prompt_tokens else "zero"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_told_and_what_came_before_it_is_kept(stand_in: StandIn, fault: ChatFault):
    call = ChatCall("call-1", fault.name, [{"role": "user", "content": "Tell me of rivers"}], 200)
    pieces: list[Piece] = []
    failure: ChatError | None = None
    try:
        with upstream_of(fault, stand_in).stream(call) as stream:
            pieces.extend(stream)
    except ChatError as told:
        failure = told

    assert (failure.code if failure else None) == fault.code
    assert bool("".join(piece.text for piece in pieces)) is fault.has_text
    assert usage_word(next((piece.usage for piece in reversed(pieces) if piece.usage), None)) == fault.usage
    assert failure is None or failure.is_before_stream is (not pieces)
    assert failure is None or failure.user_message.endswith(".")


def test_at_least_forty_faults_are_named_once():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40


def test_a_wait_the_upstream_asks_for_is_passed_on(stand_in: StandIn):
    with pytest.raises(ChatError) as told:
        upstream_of(FAULTS[0], stand_in).stream(ChatCall("c", "fault-429", [], 1))

    assert told.value.retry_after_seconds == 7
    assert "in 7 seconds" in told.value.user_message
