"""Who charges what at `/v1` (docs/metering.md): one hold, one settlement; the proxy's reports are only compared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from tests.chat.conftest import wait_until_quiet
from tests.faults.site import upstream
from tests.gateway.test_gateway import QUESTION, SECRET, signed
from tests.keys.spending import HOUSE_KEY, book, posted, record
from tests.mailbox import settings
from tests.metering.answers import SLOW, Asking
from tests.metering.calling import CREDIT, price
from tests.people import People
from tokenboard.core.db import db
from tokenboard.gateway.identity import HEADER
from tokenboard.ledger import queries as ledger, service as books
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.providers.chat_client import ChatClient
from tokenboard.workspaces.models import Workspace


def records(shop: People) -> list[UsageRecord]:
    with shop.app.app_context():
        return list(db.session.scalars(select(UsageRecord).order_by(UsageRecord.occurred_at)))


def leave(shop: People, micros: int) -> None:
    """Let the team's wallet have only so much."""
    wallet = db.session.get_one(Workspace, shop.team_id).ledger_account_id
    books.spend(
        wallet_id=wallet, amount_micros=ledger.balance(wallet).available_micros - micros, key="all but a little"
    )
    db.session.commit()


def test_a_wallet_that_can_pay_for_a_part_gets_a_shorter_answer_and_is_told(shop, key_of, ask):
    made = key_of()
    with shop.app.app_context():
        leave(shop, 15_000)

    answer = ask(made.secret, QUESTION | {"max_tokens": 4_000})

    assert answer.status_code == 200
    assert 16 <= int(answer.headers["X-TokenBoard-Shortened-To"]) < 4_000
    with shop.app.app_context():
        assert 0 <= posted(shop.team_id) < 15_000


def test_what_the_proxy_reports_of_a_call_at_v1_is_compared_and_never_charged(shop, key_of, ask):
    call_id = ask(key_of().secret, QUESTION).headers["X-TokenBoard-Call-Id"]
    with shop.app.app_context():
        before = posted(shop.team_id)
        counts = book(record(HOUSE_KEY, litellm_call_id=call_id), feed="log")
        assert (counts["reconcile"], posted(shop.team_id)) == (1, before)
    assert len(records(shop)) == 1


def test_open_web_ui_through_v1_is_paid_by_the_person_who_sits_there(shop, ask):
    with shop.app.app_context():
        before = (posted(shop.alice.workspace_id), posted(shop.team_id))
    with settings(shop.app, openwebui_jwt_secret=SECRET):
        answer = ask("sk-any", QUESTION, **{HEADER: signed(shop.alice.email)})
        titled = ask("sk-any", QUESTION, **{HEADER: signed(shop.alice.email), "X-OpenWebUI-Task": "title_generation"})

    assert (answer.status_code, titled.status_code) == (200, 200)
    first, second = records(shop)
    assert (first.source, first.workspace_id, first.person_id) == ("openwebui", shop.alice.workspace_id, shop.alice.id)
    assert (first.is_background, second.is_background) == (False, True)
    with shop.app.app_context():
        paid = first.credits_micros + second.credits_micros
        assert (posted(shop.alice.workspace_id), posted(shop.team_id)) == (before[0] - paid, before[1])
        # The proxy counts it for the customer too; that is a comparison.
        reported = record(HOUSE_KEY, litellm_call_id=first.call_id, end_user=shop.alice.email)
        assert book(reported)["reconcile"] == 1
        assert posted(shop.alice.workspace_id) == before[0] - paid


@pytest.fixture
def slow_upstream(shop: People, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The application asks an upstream that writes 3,000 words, ten milliseconds apart."""
    with upstream() as address:
        client = ChatClient(address, "sk-test")
        monkeypatch.setitem(shop.app.extensions, "clients", Asking(client))
        with shop.app.app_context():
            price(SLOW, max_output_tokens=8_192)
        yield
        client.close()


def test_a_client_that_leaves_ends_its_answer_and_pays_for_what_was_written_down(shop, key_of, ask, slow_upstream):
    answer = ask(key_of().secret, QUESTION | {"model": SLOW, "max_tokens": 8_000, "stream": True})
    events = answer.iter_encoded()
    next(events)

    answer.close()
    wait_until_quiet(shop)

    [one] = records(shop)
    assert (one.error_code, one.is_estimated) == ("client_gone", True)
    assert 0 < one.completion_tokens < 3_000
    with shop.app.app_context():
        wallet = ledger.balance(db.session.get_one(Workspace, shop.team_id).ledger_account_id)
        assert (wallet.held_micros, 100 * CREDIT - wallet.posted_micros) == (0, one.credits_micros)
