"""Terminal doors of keys: compare LiteLLM with what it was told and heal it; read its spend log now."""

from __future__ import annotations

import click
from flask import Blueprint

from tokenboard.core.errors import NotConfigured
from tokenboard.keys import reconcile_tasks, spend_tasks, tasks
from tokenboard.providers.litellm_errors import LiteLLMError
from tokenboard.web.clients import clients

blueprint = Blueprint("keys_cli", __name__, cli_group="keys")


@blueprint.cli.command("reconcile")
def reconcile() -> None:
    """Compare LiteLLM with what it was told, and tell again what drifted."""
    try:
        found = reconcile_tasks.compare_all(clients().litellm())
    except (NotConfigured, LiteLLMError) as error:
        raise click.ClickException(str(error)) from error
    for drift in found.drifts:
        click.echo(drift)
    tasks.sweep()
    click.echo(f"{found.targets} compared, {len(found.drifts)} told again.")


@blueprint.cli.command("read-spend")
def read_spend() -> None:
    """Read what is new in LiteLLM's spend log, here and at once."""
    try:
        counts = spend_tasks.read(clients().litellm(), clients().house_key_hashes())
    except NotConfigured as error:
        raise click.ClickException(str(error)) from error
    if counts is None:
        raise click.ClickException("Nothing was read: another reader is at it, or LiteLLM does not answer.")
    click.echo(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
