"""Every way a model's upstream goes wrong, over real HTTP: what the reader is told, what is charged, no hold left.

The list is the sandbox's (tokenboard/sandbox/chat_faults.py); here stands what becomes of each in a conversation.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from tests.chat.conftest import open_calls, wait_until_quiet
from tests.chat.events import Event, names, one, read_events, told_text
from tests.metering.calling import price
from tests.people import People
from tokenboard.chat.models import Message
from tokenboard.core.db import db, set_read_only
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.invariants import check
from tokenboard.metering.models import MeteredCall
from tokenboard.providers.chat_client import ChatClient, ChatLimits
from tokenboard.sandbox.chat_faults import CLOSED_ADDRESS, FAULTS, ChatFault
from tokenboard.wiring import WiredClients
from tokenboard.workspaces.models import Workspace

LIMITS = ChatLimits(first_byte_seconds=1.5, silence_seconds=1.0, ending_seconds=0.7, backoff_seconds=0.01)
# The relay ends it at the length that was agreed, before the client calls it a fault.
ENDED_HERE = {"fault-endless"}


class Elsewhere:
    """The application's clients, but models are asked at another address."""

    def __init__(self, inner: WiredClients, address: str) -> None:
        self._inner = inner
        self._client = ChatClient(address, "sk-sandbox", limits=LIMITS)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def chat(self) -> ChatClient:
        return self._client


@pytest.fixture
def impatient(people: People) -> Iterator[People]:
    """Models are asked at the sandbox, with time-outs of a test."""
    set_read_only(False)
    inner = people.app.extensions["clients"]
    settings = people.app.extensions["settings"]
    people.app.extensions["clients"] = WiredClients(settings, chat_limits=LIMITS)
    yield people
    wait_until_quiet(people)
    people.app.extensions["clients"] = inner


def _address(fault: ChatFault) -> str:
    if fault.address != CLOSED_ADDRESS:
        return fault.address
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _asked(people: People, fault: ChatFault) -> list[Event]:
    with people.app.app_context():
        price(model=fault.name, input_nano_per_mtok=150_000_000, output_nano_per_mtok=600_000_000)
    if fault.address:
        clients = people.app.extensions["clients"]
        people.app.extensions["clients"] = Elsewhere(clients, _address(fault))
    body = {"message": "Tell me something", "model": fault.name, "maxOutputTokens": 200}
    answer = people.bearer(people.alice).post("/api/chat", body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return read_events(answer.get_data(as_text=True))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_told_charged_and_closed(impatient: People, fault: ChatFault):
    events = _asked(impatient, fault)

    with impatient.app.app_context():
        message = db.session.scalars(select(Message).where(Message.role == "assistant")).one()
        call = db.session.get_one(MeteredCall, message.id)
        wallet = db.session.get_one(Workspace, impatient.alice.workspace_id).ledger_account_id
        balance = ledger.balance(wallet)
        assert check() == []
    is_told = bool(fault.code) and fault.name not in ENDED_HERE
    assert names(events)[-1] == ("error" if is_told else "done")
    if is_told:
        error = one(events, "error")
        assert (error["code"], message.error_code, message.status) == (fault.code, fault.code, "failed")
        assert error["error"].endswith(".")
    else:
        assert message.status in {"done", "length"}
    assert told_text(events) == message.content
    assert bool(message.content) == fault.has_text
    assert (open_calls(impatient), call.state, balance.held_micros) == (0, "settled", 0)
    charged = 1_000_000_000 - balance.posted_micros
    assert charged == message.credits_micros
    assert 0 <= charged <= call.held_micros
    assert (charged > 0) == _is_charged(fault)


def _is_charged(fault: ChatFault) -> bool:
    """Nothing for what delivered nothing, and what the provider itself says costs nothing."""
    return fault.has_text and fault.usage != "zero"


def test_there_are_at_least_forty_of_them():
    assert len({fault.name for fault in FAULTS}) >= 40
