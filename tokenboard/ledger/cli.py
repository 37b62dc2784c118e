"""`flask --app wsgi ledger …`: the books at the terminal. What changes money is only tried out without `--yes`.

The group is plain click, since the ledger knows no Flask; `app.py` hangs it into the application's commands, which
push the application's context.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import click

from tokenboard.core import clock
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.money import credits_from_micros, micros_from_credits
from tokenboard.core.parsing import parse_amount, parse_id
from tokenboard.ledger import invariants, queries, service
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import Posting

SOURCE = "cli"


def _credits(micros: int) -> str:
    return f"{credits_from_micros(micros).normalize():f}"


def _id(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return parse_id(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _amount(_context: click.Context, _parameter: click.Parameter, value: str) -> Decimal:
    try:
        return parse_amount(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group("ledger")
def ledger_commands() -> None:
    """Check, show and correct the credit books."""


@ledger_commands.command("check")
@click.option("--law", "numbers", multiple=True, help="Only this law, as I1. May be repeated.")
def check(numbers: tuple[str, ...]) -> None:
    """Run every law of the books. Ends with 1 when one is broken; repairs nothing."""
    chosen = [law for law in invariants.LAWS if not numbers or law.number in numbers]
    broken = 0
    for law in chosen:
        found = invariants.offenders(law)
        broken += bool(found)
        click.echo(f"{'BROKEN' if found else 'ok    '}  {law.number:<4} {law.says}")
        for offender in found[:10]:
            click.echo(f"              {offender.subject}: {offender.what}")
    db.session.rollback()
    click.echo(f"{broken} of {len(chosen)} laws are broken." if broken else "The books are in order.")
    raise SystemExit(1 if broken else 0)


@ledger_commands.command("show")
@click.argument("wallet_id", callback=_id)
@click.option("--lines", default=10, type=click.IntRange(1, queries.LARGEST_PAGE), help="How many transactions.")
def show(wallet_id: str, lines: int) -> None:
    """A wallet: its balance, its grants in the order they burn, its latest transactions."""
    with _refusals():
        balance = queries.balance(wallet_id)
        click.echo(
            f"posted {_credits(balance.posted_micros)}   held {_credits(balance.held_micros)}   "
            f"available {_credits(balance.available_micros)}"
            + (f"   overdrawn by {balance.overdrawn_reason}" if balance.is_overdrawn else "")
        )
        for grant in queries.grants(wallet_id):
            until = f"until {clock.iso(grant.expires_at)}" if grant.expires_at else "never expires"
            left = f"{_credits(grant.remaining_micros)} of {_credits(grant.amount_micros)}"
            click.echo(f"  grant {grant.grant_id}  {grant.category:<11}  {left:>20}  {until}")
        for line in queries.statement(wallet_id, limit=lines).lines:
            click.echo(
                f"  {clock.iso(line.created_at)}  {line.kind:<11} {_credits(line.amount_micros):>14}"
                f" → {_credits(line.posted_after_micros):>14}  {line.transaction_id}  {line.description}"
            )
    db.session.rollback()


@ledger_commands.command("grant")
@click.argument("wallet_id", callback=_id)
@click.argument("amount", callback=_amount)
@click.option("--reason", required=True, help="Shown on the wallet's statement; no names, no e-mail addresses.")
@click.option("--category", type=click.Choice([one.value for one in Category]), default=Category.PROMOTIONAL.value)
@click.option("--days", type=click.IntRange(1, 3650), help="Expires after so many days; without it never.")
@click.option("--key", help="Idempotency key: the same key again has no second effect.")
@click.option("--yes", is_flag=True, help="Write it; without this nothing is written.")
def grant(
    wallet_id: str, amount: Decimal, reason: str, category: str, days: int | None, key: str | None, yes: bool
) -> None:
    """Give credits to a wallet, from the house's adjustments."""
    with _refusals():
        posting = service.grant(
            wallet_id=wallet_id,
            amount_micros=micros_from_credits(amount),
            category=Category(category),
            house=House.ADJUSTMENTS,
            key=key or new_id(),
            expires_at=clock.now() + timedelta(days=days) if days else None,
            description=reason,
            source=SOURCE,
        )
    _end(posting, yes)


@ledger_commands.command("reverse")
@click.argument("transaction_id", callback=_id)
@click.option("--reason", required=True, help="Shown on the wallet's statement; no names, no e-mail addresses.")
@click.option("--yes", is_flag=True, help="Write it; without this nothing is written.")
def reverse(transaction_id: str, reason: str, yes: bool) -> None:
    """Undo a spend or a capture: the same grants get the same amounts back."""
    with _refusals():
        posting = service.reverse(transaction_id=transaction_id, description=reason, source=SOURCE)
    _end(posting, yes)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the ledger refuses, as the command's own sentence."""
    try:
        yield
    except TokenBoardError as error:
        db.session.rollback()
        raise click.ClickException(error.message) from error


def _end(posting: Posting, yes: bool) -> None:
    """Commit, or take back what was tried."""
    balance = posting.balance
    click.echo(
        f"{posting.kind} of {_credits(posting.amount_micros)} credits: posted {_credits(balance.posted_micros)}, "
        f"available {_credits(balance.available_micros)} after it"
    )
    if posting.is_replay:
        db.session.rollback()
        click.echo(f"It was written before, as transaction {posting.transaction_id}. Nothing happened now.")
    elif yes:
        db.session.commit()
        click.echo(f"Written as transaction {posting.transaction_id}.")
    else:
        db.session.rollback()
        click.echo("Nothing was written. Add --yes to do it.")
