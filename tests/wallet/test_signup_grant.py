"""Sign-up credits: at once without mail, once for each mailbox however it is spelled, also in parallel."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask
from sqlalchemy import func, select

from tests.ledger.crowds import at_once
from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.invariants import check
from tokenboard.portal.signup import SignedUp, sign_up
from tokenboard.wallet import service
from tokenboard.wallet.models import SignupGrant
from tokenboard.workspaces.models import Workspace

PASSWORD = "correct horse battery staple"


@contextmanager
def _settings(app: Flask, **changed: object) -> Iterator[None]:
    before = app.extensions["settings"]
    app.extensions["settings"] = dataclasses.replace(before, **changed)
    try:
        yield
    finally:
        app.extensions["settings"] = before


def _join(email: str) -> SignedUp:
    return sign_up(email=email, password=PASSWORD)


def _posted(made: SignedUp) -> int:
    return ledger.balance(made.workspace.ledger_account_id).posted_micros


def test_a_new_person_has_credits_at_once(app: Flask):
    with app.app_context():
        made = _join("zoe@example.com")
        db.session.commit()

        assert _posted(made) == 1_000_000_000
        assert check() == []


def test_another_spelling_of_the_same_mailbox_gets_an_account_and_no_credits(app: Flask):
    with app.app_context():
        first, tagged = _join("zoe.z@gmail.com"), _join("zoez+2@googlemail.com")
        db.session.commit()

        assert (_posted(first), _posted(tagged)) == (1_000_000_000, 0)


def test_ten_spellings_at_once_are_one_grant(app: Flask):
    made = at_once(app, [partial(_join, f"zoe+{n}@example.com") for n in range(10)])

    assert all(isinstance(one, SignedUp) for one in made)
    with app.app_context():
        wallets = db.session.scalars(select(Workspace.ledger_account_id)).all()
        assert sorted(ledger.balance(one).posted_micros for one in wallets) == [0] * 9 + [1_000_000_000]
        assert db.session.scalar(select(func.count()).select_from(SignupGrant)) == 1
        assert check() == []


def test_giving_again_gives_nothing(app: Flask):
    with app.app_context():
        made = _join("zoe@example.com")
        again = service.grant_sign_up(person=made.person, workspace=made.workspace)
        db.session.commit()

        assert again is None
        assert _posted(made) == 1_000_000_000


def test_with_mail_the_credits_wait_until_the_address_is_verified(app: Flask):
    with app.app_context(), _settings(app, smtp_url="smtp://mail.example.com"):
        made = _join("zoe@example.com")
        db.session.commit()
        assert _posted(made) == 0

        service.grant_sign_up(person=made.person, workspace=made.workspace)  # what verifying calls
        db.session.commit()
        assert _posted(made) == 1_000_000_000


def test_the_amount_and_the_expiry_are_settings(app: Flask):
    with app.app_context(), _settings(app, signup_credits=5, signup_credits_expire_days=30):
        made = _join("zoe@example.com")
        db.session.commit()
        lot = ledger.grants(made.workspace.ledger_account_id)[0]

    assert (lot.amount_micros, lot.category) == (5_000_000, "promotional")
    assert lot.expires_at is not None
    assert (lot.expires_at - now()).days in {29, 30}


def test_nought_gives_nothing_and_uses_up_nobodys_turn(app: Flask):
    with app.app_context(), _settings(app, signup_credits=0):
        made = _join("zoe@example.com")
        db.session.commit()
        assert _posted(made) == 0
    with app.app_context():
        assert service.grant_sign_up(person=made.person, workspace=made.workspace) is not None
        db.session.commit()


def test_a_demo_workspace_gets_none(app: Flask):
    with app.app_context():
        made = _join("zoe@example.com")
        made.workspace.is_demo = True
        other = Person(email="other@example.com")

        assert service.grant_sign_up(person=other, workspace=made.workspace) is None


def test_only_the_hash_of_the_address_is_kept(app: Flask):
    with app.app_context():
        _join("zoe@example.com")
        db.session.commit()
        kept = db.session.scalars(select(SignupGrant.email_hash)).one()

    assert len(kept) == 64
    assert "zoe" not in kept


def test_every_new_workspace_has_a_wallet_of_its_own(app: Flask):
    with app.app_context():
        made = _join("zoe@example.com")
        db.session.commit()
        wallets = db.session.scalars(select(Workspace.ledger_account_id)).all()

    assert len(set(wallets)) == len(wallets) == 1
    assert made.workspace.ledger_account_id == wallets[0]
