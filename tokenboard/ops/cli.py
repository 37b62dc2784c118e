"""`flask --app wsgi ops …`: the operator's commands."""

from __future__ import annotations

from collections.abc import Callable

import click
from flask import Blueprint

from tokenboard.accounts import second_factor_service as second_factors, service as accounts
from tokenboard.billing import promo_service
from tokenboard.core import jobs
from tokenboard.core.crypto import CannotUnseal, KeyRing
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.costs import service as costs
from tokenboard.keys import key_service
from tokenboard.notices import service as notices
from tokenboard.ops import advice
from tokenboard.ops.health import examine
from tokenboard.workspaces import channels

blueprint = Blueprint("ops_cli", __name__, cli_group="ops")

# Every room that seals something.
_RESEALERS: tuple[tuple[str, Callable[[KeyRing], int]], ...] = (
    ("providers' keys", costs.reseal_connections),
    ("webhook secrets", channels.reseal),
    ("messages' secrets", notices.reseal),
    ("promo codes", promo_service.reseal),
    ("virtual keys' secrets", key_service.reseal),
    ("authenticators' secrets", second_factors.reseal),
    ("sign-out hints", accounts.reseal_hints),
)


@blueprint.cli.command("doctor")
def doctor() -> None:
    """Say what works, what is down, and which settings could be better. Ends with 1 when something is down."""
    found = examine()
    for one in found.findings:
        click.echo(f"{'ok  ' if one.is_ok else 'DOWN'}  {one.part:<11} {one.sentence}")
    for sentence in advice.advice(settings()):
        click.echo(f"note  {sentence}")
    raise SystemExit(0 if found.is_ok else 1)


@blueprint.cli.command("rotate-keys")
def rotate_keys() -> None:
    """Seal every secret again with the first key of ENCRYPTION_KEYS; afterwards the others may be removed."""
    key_ring = settings().encryption_keys
    for what, reseal in _RESEALERS:
        try:
            changed = reseal(key_ring)
        except CannotUnseal as error:
            db.session.rollback()
            raise click.ClickException(
                f"Some of the {what} were sealed with a key that is not in ENCRYPTION_KEYS. Add it and run this again."
            ) from error
        db.session.commit()
        click.echo(f"{what}: {changed} sealed again with {key_ring.writing_key_id}")


@blueprint.cli.command("sweep")
def sweep() -> None:
    """Run every sweeper once, here and now."""
    for name in jobs.task_names():
        if name.endswith(".sweep"):
            jobs.run_task(name)
            click.echo(f"{name}: done")


@blueprint.cli.command("env-example")
def env_example() -> None:
    """Print .env.example from the settings' declarations."""
    click.echo(advice.env_example(), nl=False)


@blueprint.cli.command("settings-doc")
def settings_doc() -> None:
    """Print docs/settings.md from the settings' declarations."""
    click.echo(advice.settings_page(), nl=False)
