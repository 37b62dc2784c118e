"""Terminal doors to syncs: `flask costs sync` shows what would be read; `--now` reads it, here and at once."""

from __future__ import annotations

import click
from flask import Blueprint

from tokenboard.core.db import db
from tokenboard.core.parsing import parse_id
from tokenboard.costs import connection_queries, service, tasks
from tokenboard.costs.models import Connection, SyncRun
from tokenboard.costs.sync_rules import Reason

blueprint = Blueprint("costs_cli", __name__, cli_group="costs")


def _workspace(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else parse_id(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@blueprint.cli.command("sync")
@click.option("--workspace", "workspace_id", callback=_workspace, help="Only this workspace's connections, by its id.")
@click.option("--now", "is_for_real", is_flag=True, help="Read now, in this process. Without it nothing is changed.")
def sync(workspace_id: str | None, is_for_real: bool) -> None:
    """List the connections and the days each would read; with --now, read them."""
    found = list(connection_queries.all_automatic(workspace_id))
    db.session.commit()
    if not found:
        click.echo("No connection is read automatically here.")
    for connection in found:
        click.echo(_run(connection) if is_for_real else _plan(connection))
    if found and not is_for_real:
        click.echo("Nothing was changed. Add --now to read.")


def _plan(connection: Connection) -> str:
    period = service.plan_for(connection, Reason.MANUAL).period
    return f"{_name(connection)}: would read {period.first} to {period.last} ({period.length} days)"


def _run(connection: Connection) -> str:
    run = service.request_sync(connection=connection, actor_id="cli")
    db.session.commit()
    tasks.run_sync(run.id)
    ended = db.session.get_one(SyncRun, run.id, populate_existing=True)
    told = f": {ended.error_message}" if ended.error_message else ""
    return f"{_name(connection)}: {ended.state}, {ended.days_done} of {ended.days_total} days{told}"


def _name(connection: Connection) -> str:
    last = connection.last_synced_at
    fresh = f"last read {last:%Y-%m-%d %H:%M} UTC" if last else "never read"
    return f"{connection.provider} …{connection.last4} of workspace {connection.workspace_id} ({fresh})"
