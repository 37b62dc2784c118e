"""`flask --app wsgi demo …`: the demo workspace from the terminal."""

from __future__ import annotations

import click
import sqlalchemy as sa
from flask import Blueprint

from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.parsing import parse_email
from tokenboard.demo import service

blueprint = Blueprint("demo_cli", __name__, cli_group="demo")

_EMAIL = click.option("--email", default="", help="Whose demo; without it the first administrator's.")


@blueprint.cli.command("load")
@_EMAIL
def load(email: str) -> None:
    """Make the demo workspace, or bring it up to today."""
    owner = _person(email)
    workspace = service.load(owner=owner)
    db.session.commit()
    click.echo(f"{workspace.name} is there for {owner.email}. Choose it in the sidebar.")


@blueprint.cli.command("remove")
@_EMAIL
def remove(email: str) -> None:
    """Put the demo workspace away."""
    owner = _person(email)
    workspace = service.demo_of(owner.id)
    if workspace is None:
        raise click.ClickException(f"{owner.email} has no demo workspace.")
    service.put_away(workspace=workspace, actor=owner)
    db.session.commit()
    click.echo(f"{workspace.name} is put away.")


def _person(email: str) -> Person:
    """Raises: click.ClickException with what to do."""
    wanted = sa.select(Person).order_by(Person.created_at).limit(1)
    try:
        wanted = wanted.where(Person.email == parse_email(email)) if email else wanted.where(Person.is_admin.is_(True))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--email") from error
    found = db.session.scalars(wanted).one_or_none()
    if found is None:
        raise click.ClickException("Nobody has this e-mail." if email else "There is no administrator; give --email.")
    return found
