"""Terminal doors to billing: `sync-prices`, `reconcile`, `replay`, `make-codes`. Dry-run where money moves."""

from __future__ import annotations

import click
from flask import Blueprint

from tokenboard.billing import inbox_service, promo_service, reconcile_runs, reconciling, tasks
from tokenboard.billing.promo_rules import MOST_CODES, BatchWish
from tokenboard.billing.reconcile_models import compared_words
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, TokenBoardError
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.providers.payments import PaymentError

blueprint = Blueprint("billing_cli", __name__, cli_group="billing")


@blueprint.cli.command("sync-prices")
def sync_prices() -> None:
    """Take over products and prices from Stripe."""
    try:
        synced = tasks.sync_catalogue()
    except (PaymentError, NotConfigured) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{synced.products} products, {synced.prices} prices.")
    for skipped in synced.skipped:
        click.echo(f"Not for sale: {skipped['id']}: {skipped['why']}")


@blueprint.cli.command("reconcile")
@click.option(
    "--days", default=reconciling.USUAL_DAYS, type=click.IntRange(1, reconciling.MOST_DAYS), show_default=True
)
@click.option("--heal", "is_healing", is_flag=True, help="Credit what is missing. Without it nothing is changed.")
def reconcile(days: int, is_healing: bool) -> None:
    """Compare the last days with Stripe and Paystack."""
    run, is_new = reconcile_runs.ask(actor=reconcile_runs.CLI, days=days, is_healing=is_healing)
    db.session.commit()
    if not is_new:
        raise click.ClickException("Another look is under way. Try again in a few minutes.")
    reconcile_runs.carry_out(run.id)
    db.session.refresh(run)
    findings = reconcile_runs.findings_of(run.id)
    click.echo(f"Compared: {compared_words(run)}.")
    for finding in findings:
        state = "mended" if finding.healed_at else finding.problem
        click.echo(f"{finding.provider} {finding.object_id}: {finding.what}{f' ({state})' if state else ''}")
    mended = "mended as far as possible" if is_healing else "nothing was changed; add --heal to mend"
    click.echo(f"{len(findings)} differences, {mended}." if findings else "The books agree.")


@blueprint.cli.command("replay")
@click.argument("event")
@click.option("--now", "is_for_real", is_flag=True, help="Handle it now. Without it nothing is changed.")
def replay(event: str, is_for_real: bool) -> None:
    """Handle an event of the inbox again, by the provider's id."""
    row = inbox_service.find(event)
    if row is None:
        raise click.ClickException(f"The inbox has no event {event}.")
    click.echo(f"{row.provider} {row.event_id} {row.type}: {row.state}, {row.attempts} attempts. {row.last_error}")
    if not is_for_real:
        click.echo("Nothing was changed. Add --now to replay.")
        return
    inbox_service.replay(event_row_id=row.id, actor="cli")
    db.session.commit()
    tasks.process_event(row.id)
    db.session.refresh(row)
    click.echo(f"Now: {row.state}. {row.note or row.last_error}".strip())


@blueprint.cli.command("make-codes")
@click.argument("name")
@click.option("--count", default=1, type=click.IntRange(1, MOST_CODES), show_default=True)
@click.option("--credits", "credit_count", default=0, type=click.IntRange(0, 10**9), help="Credits a code gives.")
@click.option("--plan", default="", help="Instead: a plan, one of whose periods a code gives.")
@click.option("--uses", default=1, type=click.IntRange(1, 10**6), show_default=True, help="People a code is for.")
def make_codes(name: str, count: int, credit_count: int, plan: str, uses: int) -> None:
    """Make a batch of promo codes and print them, this once."""
    if bool(credit_count) == bool(plan):
        raise click.UsageError("Say --credits or --plan, one of them.")
    try:
        micros = credit_count * MICROS_PER_CREDIT
        wish = BatchWish(name=name, count=count, credits_micros=micros, plan_price=plan, uses_each=uses)
        _, codes = promo_service.make_batch(wish=wish, actor="cli")
    except TokenBoardError as error:
        raise click.ClickException(error.message) from error
    db.session.commit()
    click.echo("\n".join(codes))
