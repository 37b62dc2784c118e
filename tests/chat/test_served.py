"""The chat as it is served: gunicorn with two processes, real connections, the sandbox's models.

As `curl -N` sees it: pieces arrive while the answer is written, a lost line goes on elsewhere, Stop works from another
connection; and a crowd on a small wallet never brings it below zero.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.chat.conftest import open_calls
from tests.chat.events import Event, names, one, read_events, told_text
from tests.metering.calling import fund, price
from tests.people import People
from tests.wallet.served import Site, served
from tokenboard.chat.models import Message
from tokenboard.chat.rules import SYSTEM
from tokenboard.core.db import db, set_read_only
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.invariants import check
from tokenboard.metering import service
from tokenboard.metering.facts import CallOrder
from tokenboard.metering.models import MeteredCall
from tokenboard.workspaces.models import Workspace

SWIFT, SLOW = "sandbox-swift", "sandbox-slow"
CROWD, PAID_FOR = 200, 20
PRICES = {"input_nano_per_mtok": 150_000_000, "output_nano_per_mtok": 600_000_000}
pytestmark = pytest.mark.slow


@pytest.fixture
def priced(people: People) -> People:
    set_read_only(False)
    with people.app.app_context():
        for model in (SWIFT, SLOW):
            price(model=model, **PRICES)
    return people


class Line:
    """One connection that reads events as they come."""

    def __init__(self, site: Site, token: str, *, source: str = "127.0.3.1") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port, 60, (source, 0))
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._rest = ""

    def post(self, body: dict[str, Any]) -> http.client.HTTPResponse:
        self._connection.request("POST", "/api/chat", json.dumps(body), self._headers)
        return self._connection.getresponse()

    def get(self, path: str, after: str) -> http.client.HTTPResponse:
        self._connection.request("GET", path, headers=self._headers | {"Last-Event-ID": after})
        return self._connection.getresponse()

    def events(self, answer: http.client.HTTPResponse) -> Iterator[Event]:
        while piece := answer.read1(65_536):
            self._rest += piece.decode()
            *whole, self._rest = self._rest.split("\n\n")
            for block in whole:
                yield from read_events(block + "\n\n")

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def _line(site: Site, token: str, **more: str) -> Iterator[Line]:
    with contextlib.closing(Line(site, token, **more)) as line:
        yield line


def test_pieces_arrive_as_they_are_written_and_a_lost_line_goes_on_elsewhere(priced: People, tmp_path: Path):
    token = priced.bearer(priced.alice).token
    with served(priced.app, tmp_path) as site:
        first: list[Event] = []
        with _line(site, token) as line:
            answer = line.post({"message": "/words 20", "model": SLOW})
            assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
            began = time.monotonic()
            for event in line.events(answer):
                first.append(event)
                if len(told_text(first)) > 20:
                    break
        assert time.monotonic() - began > 0.3, "all of it came at once"
        with _line(site, token) as line:
            path = f"/api/chat/{one(first, 'meta')['message_id']}/events"
            rest = list(line.events(line.get(path, first[-1].id)))
        with _line(site, token) as line:
            again = list(line.events(line.get(path, "")))

    assert names(rest)[-2:] == ["usage", "done"]
    assert told_text(first) + told_text(rest) == told_text(again)
    assert one(rest, "usage") == one(again, "usage")
    assert _wallet(priced, priced.alice.workspace_id).posted_micros == one(rest, "usage")["balanceAfterMicros"]


def test_stop_works_from_another_connection(priced: People, tmp_path: Path):
    token = priced.bearer(priced.alice).token
    with served(priced.app, tmp_path) as site, _line(site, token) as line:
        heard: list[Event] = []
        for event in line.events(line.post({"message": "/words 200", "model": SLOW})):
            heard.append(event)
            if event.name == "answer" and len(heard) == 4:
                stopped = site.post(f"/api/chat/{one(heard, 'meta')['message_id']}/stop", token, {}, source="127.0.3.2")

    assert stopped.status == 202
    assert one(heard, "done")["status"] == "stopped"
    assert len(told_text(heard)) < 400
    assert open_calls(priced) == 0


def test_a_crowd_on_a_small_wallet_never_brings_it_below_zero(priced: People, tmp_path: Path):
    with priced.app.app_context():
        wallet_id = fund(priced.team_id, _cost_of_one(priced) * PAID_FOR / 1_000_000)
    token = priced.bearer(priced.bob).token
    limits = {"MAX_STREAMS_PER_PERSON": "500", "MESSAGES_PER_MINUTE": "5000", "MAX_STREAMS_PER_PROCESS": "500"}
    body = {"message": "/words 25", "model": SLOW, "maxOutputTokens": 200, "workspaceId": priced.team_id}
    with served(priced.app, tmp_path, **limits) as site:
        answers = _crowd(site, token, body)

    assert set(answers) == {(200, "text/event-stream"), (402, "application/json")}
    assert answers[(200, "text/event-stream")] >= PAID_FOR
    with priced.app.app_context():
        assert check() == []
        begun = db.session.scalar(select(func.count()).select_from(MeteredCall))
        charged = db.session.scalar(select(func.sum(Message.credits_micros)))
        lines = ledger.statement(wallet_id, limit=200).lines
    assert begun == answers[(200, "text/event-stream")]
    assert min(line.posted_after_micros for line in lines) >= 0
    found = _wallet(priced, priced.team_id)
    assert (found.held_micros, found.available_micros >= 0) == (0, True)
    assert charged == lines[-1].posted_after_micros - found.posted_micros


def _cost_of_one(people: People) -> int:
    """The most that one of the crowd's calls can cost."""
    workspace = db.session.get_one(Workspace, people.team_id)
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "/words 25"}]
    order = CallOrder(workspace, people.bob.id, "chat", SLOW, messages, max_output_tokens=200)
    return service.estimate(order=order).high_micros


def _crowd(site: Site, token: str, body: dict[str, Any]) -> Counter[tuple[int, str]]:
    """All at once; each reads its answer to the end."""
    barrier = Barrier(CROWD)

    def send(_number: int) -> tuple[int, str]:
        with _line(site, token, source="127.0.4.1") as line:
            barrier.wait()
            answer = line.post(body)
            text = answer.read().decode()
            kind = str(answer.getheader("Content-Type")).partition(";")[0]
            if answer.status == 402:
                assert json.loads(text)["code"] == "insufficient_credits"
            return answer.status, kind

    with ThreadPoolExecutor(CROWD) as pool:
        return Counter(pool.map(send, range(CROWD)))


def _wallet(people: People, workspace_id: str) -> ledger.WalletBalance:
    with people.app.app_context():
        return ledger.balance(db.session.get_one(Workspace, workspace_id).ledger_account_id)
