"""Words for telling a call's story: a wallet with so much, a model with such a price, a call and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from tests.people import People
from tokenboard.core.db import db
from tokenboard.ledger import queries as ledger, service as books
from tokenboard.ledger.accounts import House
from tokenboard.ledger.invariants import check
from tokenboard.ledger.kinds import Category
from tokenboard.metering import price_service, service
from tokenboard.metering.facts import CallOrder, OpenCall, Outcome, OutcomeKind, Settled
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.price_service import PriceWanted
from tokenboard.workspaces.models import Workspace

CREDIT = 1_000_000
NANO = 10**9
# $2.50 and $10 a million tokens: 250 and 1,000 credits a million, 250 and 1,000 micro-credits a token.
MODEL, INPUT, CACHED, OUTPUT = "gpt-4o", 2_500_000_000, 1_250_000_000, 10 * NANO


@dataclass(frozen=True)
class Told:
    """Usage as a provider's client hands it over."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano_usd: int | None = None
    is_odd: bool = False


def price(model: str = MODEL, **more: Any) -> str:
    """Offer a model; its price's id."""
    told = {"input_nano_per_mtok": INPUT, "output_nano_per_mtok": OUTPUT, "cached_input_nano_per_mtok": CACHED}
    wanted = PriceWanted(**(told | {"model": model, "source": "admin"} | more))
    row = price_service.set_price(wanted=wanted, actor="test")
    db.session.commit()
    return row.id


_numbers: Iterator[int] = iter(range(10**9))


def fund(workspace_id: str, credits_: float) -> str:
    """Give a workspace exactly so many credits beside what it has; its wallet."""
    wallet = db.session.get_one(Workspace, workspace_id).ledger_account_id
    books.grant(
        wallet_id=wallet,
        amount_micros=int(credits_ * CREDIT),
        category=Category.PAID,
        house=House.SALES_STRIPE,
        key=f"fund-{next(_numbers)}",
    )
    db.session.commit()
    return wallet


def order(people: People, text: str = "Hello there", **more: Any) -> CallOrder:
    """Bob asks in the team's workspace, unless said otherwise."""
    workspace = db.session.get_one(Workspace, more.pop("workspace_id", people.team_id))
    told = {"person_id": people.bob.id, "source": "chat", "model": MODEL, "messages": [user(text)]} | more
    return CallOrder(workspace=workspace, **told)


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def begin(people: People, text: str = "Hello there", **more: Any) -> OpenCall:
    """As a door does: begin, commit."""
    call = service.begin(order=order(people, text, **more))
    db.session.commit()
    return call


def record(call: OpenCall, text: str) -> None:
    """What the recorder does for so much text, in one step."""
    sent = len(text.encode())
    written = {"recorded_chars": len(text), "recorded_bytes": sent}
    written["watermark_micros"] = service.watermark_micros(call, sent)
    db.session.execute(update(MeteredCall).where(MeteredCall.id == call.id).values(written))
    db.session.commit()


def settle(call: OpenCall, kind: OutcomeKind = "ok", **more: Any) -> Settled:
    """As the relay does: settle, commit."""
    settled = service.settle(call_id=call.id, outcome=Outcome(kind, **more))
    db.session.commit()
    return settled


def held_and_posted(wallet_id: str) -> tuple[int, int]:
    """What a wallet holds and has, in micro-credits; the books must be in order whenever it is asked."""
    broken = [one for one in check() if one.law != "I14"]
    assert broken == []
    found = ledger.balance(wallet_id)
    db.session.rollback()
    return found.held_micros, found.posted_micros
