"""Terminal doors to metering: prices, their sync, roll-ups and the laws between usage and the books."""

from __future__ import annotations

from decimal import Decimal

import click
from flask import Blueprint

from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, TokenBoardError
from tokenboard.core.money import AmountError, nano_from_usd
from tokenboard.core.parsing import parse_amount
from tokenboard.metering import laws, price_queries, price_service, rollup_service, tasks
from tokenboard.metering.models import ModelPrice
from tokenboard.metering.price_rules import PriceWanted, usd
from tokenboard.providers.chat_errors import ChatError

blueprint = Blueprint("metering_cli", __name__, cli_group="metering")


def _usd(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else nano_from_usd(parse_amount(value))
    except (ValueError, AmountError) as error:
        raise click.BadParameter(str(error)) from error


def _markup(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Decimal | None:
    try:
        return None if value is None else parse_amount(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@blueprint.cli.command("sync-prices")
@click.option("--now", "is_for_real", is_flag=True, help="Take them over. Without it nothing is changed.")
def sync_prices(is_for_real: bool) -> None:
    """Read the upstream's models and prices; with --now, take them over."""
    try:
        synced = tasks.sync_now() if is_for_real else tasks.rehearse_now()
    except (ChatError, NotConfigured) as error:
        raise click.ClickException(str(error)) from error
    for before, after in synced.changed:
        old = f"{usd(before.input_nano_per_mtok)} in, {usd(before.output_nano_per_mtok)} out" if before else "new"
        click.echo(f"{after.model}: {old} → {_told(after)}")
    click.echo(f"{synced.models} models, {len(synced.changed)} changes, {len(synced.without_price)} without a price.")
    if not is_for_real:
        click.echo("Nothing was changed. Add --now to take them over.")


@blueprint.cli.command("prices")
def prices() -> None:
    """Every model with its current price, where it comes from, and what is wrong with it."""
    rows = price_queries.current()
    for row in rows:
        click.echo(f"{row.model}: {_told(row)} (version {row.version})")
    if not rows:
        click.echo("No model has a price yet: flask --app wsgi metering sync-prices --now")


def _told(row: ModelPrice | PriceWanted) -> str:
    offered = "free on purpose" if row.is_free else "offered" if row.is_offered else "not offered"
    markup = f", markup {row.markup}" if row.markup else ""
    price = f"{usd(row.input_nano_per_mtok)} in, {usd(row.output_nano_per_mtok)} out"
    return f"{price} by {row.source}{markup}, {offered}. {row.problem}".strip()


@blueprint.cli.command("set-price")
@click.argument("model")
@click.option("--input", "input_nano", callback=_usd, help="USD for a million input tokens.")
@click.option("--output", "output_nano", callback=_usd, help="USD for a million output tokens.")
@click.option("--cached", "cached_nano", callback=_usd, help="USD for a million cached input tokens.")
@click.option("--markup", callback=_markup, help="The model's own markup instead of CREDIT_MARKUP.")
@click.option("--free", "is_free", is_flag=True, help="It is free on purpose.")
@click.option("--off", "is_off", is_flag=True, help="It is not offered.")
@click.option("--give-up", "is_given_up", is_flag=True, help="Let the sources decide again, at the next sync.")
def set_price(
    model: str,
    input_nano: int | None,
    output_nano: int | None,
    cached_nano: int | None,
    markup: Decimal | None,
    is_free: bool,
    is_off: bool,
    is_given_up: bool,
) -> None:
    """Set a model's price by hand: it wins over every source until it is given up."""
    nothing = 0 if is_free else None
    wanted = PriceWanted(
        model=model,
        source="admin",
        input_nano_per_mtok=input_nano if input_nano is not None else nothing,
        output_nano_per_mtok=output_nano if output_nano is not None else nothing,
        cached_input_nano_per_mtok=cached_nano,
        markup=markup,
        is_free=is_free,
        is_offered=not is_off,
    )
    try:
        if is_given_up:
            price_service.give_up(model=model, actor="cli")
        else:
            price_service.set_price(wanted=wanted, actor="cli")
    except TokenBoardError as error:
        raise click.ClickException(_sentence(error)) from error
    db.session.commit()
    click.echo(f"{model}: the sources decide again." if is_given_up else f"{model}: {_told(wanted)}")


def _sentence(error: TokenBoardError) -> str:
    fields = getattr(error, "fields", {})
    return " ".join(why for reasons in fields.values() for why in reasons) or error.message


@blueprint.cli.command("rebuild-rollups")
@click.option("--now", "is_for_real", is_flag=True, help="Repair them. Without it nothing is changed.")
def rebuild_rollups(is_for_real: bool) -> None:
    """Compare the sums by day, and what caps hold, with records and open calls; with --now, mend what differs."""
    found = _windows(is_for_real)
    for workspace_id in rollup_service.workspaces_with_usage():
        compare = rollup_service.repair if is_for_real else rollup_service.differences
        for one in compare(workspace_id):
            found += 1
            click.echo(
                f"{one.table} {one.workspace_id} {one.day_on}: {one.stored_requests} requests for "
                f"{one.stored_micros} micro-credits, records say {one.true_requests} for {one.true_micros}"
            )
        db.session.commit()
    mended = "mended" if is_for_real else "nothing was changed; add --now to mend"
    click.echo(f"{found} differences, {mended}." if found else "The sums are those of the records.")


def _windows(is_for_real: bool) -> int:
    wrong = rollup_service.wrong_windows()
    for window in wrong:
        click.echo(f"cap of {window.kind} {window.subject_id} {window.month} holds {window.held_micros} micro-credits")
        if is_for_real:
            rollup_service.repair_window(window)
        db.session.commit()
    return len(wrong)


@blueprint.cli.command("check")
def check() -> None:
    """Run the laws between usage, calls and the ledger; ends with 1 when one is broken."""
    broken = laws.check()
    for one in broken:
        click.echo(f"{one.law} {one.subject}: {one.what}")
    click.echo(f"{len(broken)} offenders." if broken else f"All {len(laws.METERING_LAWS)} laws hold.")
    if broken:
        raise click.exceptions.Exit(1)
