"""`/v1` as it is served: two gunicorn processes, OpenAI's own client, and a crowd on a small wallet."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import openai
import pytest
from sqlalchemy import func, select

from tests.keys.making import make
from tests.metering.calling import fund, price
from tests.people import People
from tests.sizes import sized
from tests.wallet.served import Site, served
from tokenboard.core.db import db, set_read_only
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.invariants import check
from tokenboard.metering import service
from tokenboard.metering.facts import CallOrder
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.workspaces.models import Workspace

MODEL = "sandbox-swift"
PAID_FOR = sized(6, 20)
CROWD = 10 * PAID_FOR
ASKED: list[Any] = [{"role": "user", "content": "/words 25"}]
pytestmark = pytest.mark.slow


@pytest.fixture
def priced(people: People) -> People:
    set_read_only(False)
    with people.app.app_context():
        price(model=MODEL, input_nano_per_mtok=150_000_000, output_nano_per_mtok=600_000_000)
    return people


def test_openais_own_client_asks_streams_and_reads_refusals(priced: People, tmp_path: Path):
    with priced.app.app_context():
        wallet_id = fund(priced.team_id, 10)
        secret = make(priced).secret
    with served(priced.app, tmp_path) as site, _client(site, secret) as client:
        whole = client.chat.completions.create(model=MODEL, messages=ASKED, max_tokens=100)
        stream = client.chat.completions.create(
            model=MODEL, messages=ASKED, max_tokens=100, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        vectors = [one.id for one in client.models.list()]
        with pytest.raises(openai.NotFoundError) as unknown:
            client.chat.completions.create(model="no-such-model", messages=ASKED)
        with _client(site, "sk-tb-nobodys") as stranger, pytest.raises(openai.AuthenticationError):
            stranger.models.list()

    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content == said != ""
    assert chunks[-1].usage is not None
    assert vectors == [MODEL]
    assert unknown.value.code == "model_not_found"
    with priced.app.app_context():
        records = db.session.scalars(select(UsageRecord)).all()
        assert [record.completion_tokens for record in records] == [whole.usage.completion_tokens] * 2
        assert 10_000_000 - ledger.balance(wallet_id).posted_micros == sum(one.credits_micros for one in records)


def test_a_crowd_on_a_small_wallet_never_brings_it_below_zero(priced: People, tmp_path: Path):
    with priced.app.app_context():
        wallet_id = fund(priced.team_id, _cost_of_one(priced) * PAID_FOR / 1_000_000)
        secret = make(priced).secret
    limits = {"MAX_STREAMS_PER_PERSON": "500", "MAX_STREAMS_PER_PROCESS": "500"}
    with served(priced.app, tmp_path, **limits) as site:
        answers = _crowd(site, secret)

    assert set(answers) == {(200, None), (402, "insufficient_credits")}
    assert answers[(200, None)] >= PAID_FOR
    with priced.app.app_context():
        assert check() == []
        assert db.session.scalar(select(func.count()).select_from(MeteredCall)) == answers[(200, None)]
        lines = ledger.statement(wallet_id, limit=200).lines
        left = ledger.balance(wallet_id)
    assert min(line.posted_after_micros for line in lines) >= 0
    assert (left.held_micros, left.available_micros >= 0) == (0, True)


def _client(site: Site, secret: str) -> openai.OpenAI:
    return openai.OpenAI(api_key=secret, base_url=f"http://127.0.0.1:{site.port}/v1", max_retries=0)


def _cost_of_one(people: People) -> int:
    """The most that one of the crowd's calls can cost."""
    workspace = db.session.get_one(Workspace, people.team_id)
    order = CallOrder(workspace, people.bob.id, "gateway", MODEL, ASKED, max_output_tokens=100)
    return service.estimate(order=order).high_micros


def _crowd(site: Site, secret: str) -> Counter[tuple[int, str | None]]:
    """All at once, every second one as a stream; each reads its answer to the end."""
    barrier = Barrier(CROWD)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def send(number: int) -> tuple[int, str | None]:
        body = {"model": MODEL, "messages": ASKED, "max_tokens": 100, "stream": number % 2 == 0}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", site.port, 60)) as connection:
            barrier.wait()
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, None if answer.status == 200 else json.loads(text)["error"]["code"]

    with ThreadPoolExecutor(CROWD) as pool:
        return Counter(pool.map(send, range(CROWD)))
