"""Yesterday's backup is put back, and buyers have paid since: the reconciler credits what is missing, none twice.

Source: reference "Reliability", F24, P24. With PostgreSQL's own dump: docs/deploy.md, and heavy_restore.py.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from tests.billing.conftest import serving_house
from tests.billing.market import PACK, Market
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.audit.models import AuditEntry
from tokenboard.billing import lost_orders, reconciling, tasks
from tokenboard.billing.lost_orders import Lost
from tokenboard.billing.models import Payment
from tokenboard.billing.rules import PaymentKind
from tokenboard.core.db import db, new_id
from tokenboard.providers.stripe_objects import CheckoutSession


@pytest.fixture
def market(sqlite_people: People, sandbox_url: str) -> Iterator[Market]:
    with serving_house(sqlite_people.app) as house_url:
        yield Market(sqlite_people.app, sqlite_people, sandbox_url, house_url).open()


def _buy(market: Market) -> str:
    reference = str(market.post("/api/billing/checkout", packageId=PACK, idempotencyKey=new_id())["reference"])
    market.control("stripe/sessions", id=market.payment(reference).object_id)
    return reference


def _file(app: Flask) -> Path:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
        return Path(str(db.engine.url.database))


def _back_up(app: Flask, target: Path) -> None:
    with closing(sqlite3.connect(_file(app))) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def _restore(app: Flask, kept: Path) -> None:
    live = _file(app)
    for leftover in live.parent.glob(f"{live.name}-*"):
        leftover.unlink()
    shutil.copyfile(kept, live)


def test_what_was_paid_since_the_backup_is_credited_and_none_twice(market: Market, tmp_path: Path):
    app, kept = market.app, tmp_path / "yesterday.sqlite3"
    before = _buy(market)
    market.deliver()
    waiting = str(
        market.post("/api/billing/checkout", packageId=PACK, idempotencyKey=new_id())["reference"]
    )  # ordered, not paid yet
    _back_up(app, kept)
    market.control("stripe/sessions", id=market.payment(waiting).object_id)
    since = [_buy(market) for _ in range(3)]
    market.deliver()
    assert market.credits == 500

    _restore(app, kept)
    assert market.credits == 100
    with app.app_context():
        found = [one.what for one in reconciling.reconcile(is_healing=False)]
        assert found.count(lost_orders.FOUND) == 3
        assert db.session.get(Payment, since[0]) is None
        db.session.rollback()
        told = [reconciling.heal(one) for one in reconciling.look(days=3).findings]
        assert told == [""] * len(told)
        reconciling.reconcile(is_healing=True)

    assert market.credits == 500
    assert market.payment(since[0]).credits_micros == market.payment(before).credits_micros
    with app.app_context():
        restored = db.select(AuditEntry).where(AuditEntry.act == "billing.order_restored")
        assert len(db.session.scalars(restored).all()) == 3
        assert not [one for one in reconciling.reconcile(is_healing=False) if one.what == lost_orders.FOUND]


def test_an_automatic_top_up_since_the_backup_is_found_by_its_charge_and_credited_once(market: Market, tmp_path: Path):
    app, kept, team = market.app, tmp_path / "yesterday.sqlite3", market.people.alice.workspace_id
    _buy(market)
    market.deliver()
    rule = {"enabled": True, "thresholdCredits": 1_150, "packageId": PACK, "monthlyCapCents": 1_000}
    assert market.alice.put("/api/credits/auto-topup", json=rule).json["enabled"] is True
    _back_up(app, kept)
    with app.app_context():
        tasks.top_up(team)
        charged = db.session.scalar(db.select(Payment.object_id).where(Payment.kind == PaymentKind.TOP_UP))
    assert market.credits == 200

    _restore(app, kept)
    assert market.credits == 100
    with app.app_context():
        seen = [one for one in reconciling.look(days=3).findings if one.what == lost_orders.FOUND]
        assert [one.object_id for one in seen] == [charged]
        assert [reconciling.heal(one) for one in (*seen, *seen)] == ["", ""]
        reconciling.reconcile(is_healing=True)
        tasks.top_up(team)

        assert lost_orders.FOUND not in [one.what for one in reconciling.look(days=3).findings]
    assert market.credits == 200


def test_an_order_that_we_never_promised_is_not_restored(market: Market):
    """Somebody began a payment at the provider without us, or another installation shares its account."""
    with market.app.app_context():
        alice = market.people.alice
        person = Person(id=alice.id)
        order = Payment(
            id="11111111-1111-4111-8111-111111111111",
            workspace_id=alice.workspace_id,
            provider="stripe",
            kind="pack",
            amount_minor=100,
            currency="usd",
            credits_micros=100_000_000,
        )
        sent = lost_orders.metadata(order, person)
        assert lost_orders.of_session(_session(order.id, sent)) == Lost(
            order.id, "stripe", "pack", alice.workspace_id, alice.id, 100, "usd", 100_000_000
        )
        more = sent | {"promise": sent["promise"].replace("100000000", "900000000")}
        bob = sent | {"workspace_id": market.people.bob.workspace_id}
        for told in (more, bob, {}, sent | {"promise": "pack:1:"}, sent | {"promise": "pack:\u0661:x"}):
            assert lost_orders.of_session(_session(order.id, told)) is None
        assert lost_orders.of_session(_session(order.id, sent, amount=1)) is None


def _session(reference: str, metadata: dict[str, str], amount: int = 100) -> CheckoutSession:
    return CheckoutSession(
        id="cs_lost",
        url=None,
        mode="payment",
        status="complete",
        payment_status="paid",
        currency="usd",
        amount_subtotal=amount,
        amount_total=amount,
        amount_discount=0,
        amount_tax=0,
        customer_id=None,
        client_reference_id=reference,
        metadata=metadata,
        payment_intent_id="pi_lost",
        subscription_id=None,
        invoice_id=None,
        created_at=None,
        expires_at=None,
        is_live=False,
    )
