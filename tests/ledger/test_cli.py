"""The books at the terminal."""

from __future__ import annotations

import sqlalchemy as sa
from click.testing import CliRunner, Result

from tests.ledger.stories import Wallet
from tokenboard.core.db import db
from tokenboard.ledger.cli import ledger_commands


def run(*words: str) -> Result:
    return CliRunner().invoke(ledger_commands, list(words))


def test_check_names_every_law_and_says_that_the_books_are_in_order(books):
    Wallet().buy(5)
    said = run("check")
    assert said.exit_code == 0
    assert "ok      I10" in said.output
    assert "The books are in order." in said.output


def test_check_ends_with_one_and_names_the_offender_when_a_law_is_broken(books):
    wallet = Wallet()
    wallet.buy(5)
    db.session.execute(sa.text("UPDATE ledger_account SET posted_micros = posted_micros + 1 WHERE kind = 'wallet'"))
    db.session.commit()
    said = run("check", "--law", "I1", "--law", "I2")
    assert said.exit_code == 1
    assert "BROKEN  I1" in said.output
    assert "posted 5000001, transfers 5000000" in said.output
    assert "1 of 2 laws are broken." in said.output


def test_show_tells_balance_grants_and_lines(books):
    wallet = Wallet()
    grant_id = wallet.buy(5)
    wallet.spend(2)
    said = run("show", wallet.id)
    assert said.exit_code == 0
    assert "posted 3   held 0   available 3" in said.output
    assert grant_id in said.output
    assert "spend                   -2 →              3" in said.output


def test_a_grant_is_only_tried_until_yes_and_its_key_works_once(books):
    wallet = Wallet()
    words = ("grant", wallet.id, "12.5", "--reason", "Sorry for the outage", "--days", "30", "--key", "sorry-1")
    said = run(*words)
    assert "grant of 12.5 credits: posted 12.5" in said.output
    assert "Nothing was written." in said.output
    wallet.shows(posted=0)
    assert "Written as transaction" in run(*words, "--yes").output
    wallet.shows(posted=12.5)


def test_a_reversal_is_only_tried_until_yes_and_happens_once(books):
    wallet = Wallet()
    wallet.buy(5)
    spent = wallet.spend(2)
    words = ("reverse", spent.transaction_id, "--reason", "The answer never came")
    assert "Nothing was written." in run(*words).output
    wallet.shows(posted=3)
    assert "Written as transaction" in run(*words, "--yes").output
    assert "Nothing happened now." in run(*words, "--yes").output
    wallet.shows(posted=5)


def test_what_cannot_be_read_or_found_is_said_in_a_sentence(books):
    wallet = Wallet()
    assert "This is not an id." in run("show", "nonsense").output
    assert "Write an amount as 12" in run("grant", wallet.id, "1e9", "--reason", "x").output
    refused = run("show", "00000000-0000-4000-8000-000000000000")
    assert (refused.exit_code, refused.output) == (1, "Error: There is no such wallet.\n")
