"""`flask --app wsgi books …`: the three-way books in a terminal."""

from __future__ import annotations

import click
from flask import Blueprint

from tokenboard.core.clock import Month
from tokenboard.core.db import at_one_moment, db
from tokenboard.core.errors import Conflict, ValidationFailed
from tokenboard.ops import threeway_queries, threeway_rules as rules, threeway_service
from tokenboard.ops.threeway_page import COLUMNS
from tokenboard.ops.threeway_queries import Books
from tokenboard.web.filters import usd_exact

blueprint = Blueprint("threeway_cli", __name__, cli_group="books")


def _month(_context: click.Context, _parameter: click.Parameter, value: str) -> Month:
    try:
        return Month.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@blueprint.cli.command("show")
@click.argument("month", callback=_month)
def show(month: Month) -> None:
    """Print a month: the provider's bill, the meter, what customers paid, and every gap by its name."""
    frozen, current = threeway_queries.closed(month), threeway_queries.books(month)
    _print(frozen.books if frozen else current)
    if frozen:
        changes = rules.changed(current.lines, frozen.books.lines)
        click.echo(f"Closed on {frozen.closed_at:%Y-%m-%d %H:%M} UTC; {len(changes)} lines have changed since.")


@blueprint.cli.command("close")
@click.argument("month", callback=_month)
@click.option("--anyway", is_flag=True, help="Also while the provider may still change its bill of the month.")
def close(month: Month, anyway: bool) -> None:
    """Freeze what a month's books say. It is done once: what comes later is told as late."""
    at_one_moment()
    try:
        found = threeway_service.close(month=month, actor="cli", anyway=anyway)
    except (Conflict, ValidationFailed) as refusal:
        db.session.rollback()
        raise click.ClickException(refusal.message) from refusal
    db.session.commit()
    _print(found)
    click.echo(f"{month} is closed.")


def _print(found: Books) -> None:
    total = found.total
    click.echo(f"{found.month}: {total.requests} requests, {len(found.lines)} lines of day and model")
    for measure, label in COLUMNS:
        click.echo(f"  {label.lower():<10} {usd_exact(getattr(total, measure)):>20}")
