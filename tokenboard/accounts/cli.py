"""`flask accounts …`: the operator's door."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from tokenboard.accounts import mailbox_service, one_time_links, queries, second_factor_service, service, setup_links
from tokenboard.accounts.models import Person
from tokenboard.accounts.one_time_links import Purpose
from tokenboard.core.db import db
from tokenboard.core.parsing import parse_email
from tokenboard.core.settings import settings

group = AppGroup("accounts", help="People and who runs the site.")


def init_app(app: Flask) -> None:
    """Make the commands known."""
    app.cli.add_command(group)


@group.command("setup-link")
def setup_link() -> None:
    """Print the one-time link that makes the first administrator; nothing when there is one."""
    token = setup_links.issue()
    db.session.commit()
    if token:
        click.echo(f"Make the administrator's account here (once, within 24 hours): {setup_address(token)}")


def setup_address(token: str) -> str:
    """Where the link leads."""
    return f"{settings().base_url}/setup/{token}"


@group.command("make-admin")
@click.argument("email")
def make_admin(email: str) -> None:
    """Let the person with this e-mail run the site."""
    person = _registered(email)
    service.make_administrator(person, actor="cli")
    db.session.commit()
    click.echo(f"{person.email} runs this site now.")


@group.command("reset-link")
@click.argument("email")
def reset_link(email: str) -> None:
    """Print a link by which this person chooses a new password: for sites without mail."""
    _, token = one_time_links.issue(_registered(email), Purpose.RESET)
    db.session.commit()
    click.echo(f"Choose a new password here (once, within 30 minutes): {settings().base_url}/reset/{token}")


@group.command("confirm-email")
@click.argument("email")
def confirm_email(email: str) -> None:
    """Vouch that this address is its person's, as a mailed link would have shown."""
    person = _registered(email)
    mailbox_service.vouch(person, actor="cli")
    db.session.commit()
    click.echo(f"{person.email} counts as confirmed.")


@group.command("remove-second-factor")
@click.argument("email")
def remove_second_factor(email: str) -> None:
    """Take away the two-step sign-in of somebody who has lost app and codes. Make sure first that it is them."""
    person = _registered(email)
    was_on = second_factor_service.take_lost_one_away(person, actor="cli")
    db.session.commit()
    if not was_on:
        raise click.ClickException(f"{person.email} has no two-step sign-in.")
    click.echo(f"{person.email} signs in with the password alone and is signed out everywhere; a letter says so.")


def _registered(email: str) -> Person:
    """Raises: ClickException."""
    try:
        person = queries.person_by_email(parse_email(email))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if person is None:
        raise click.ClickException(f"Nobody is registered with {email}.")
    return person
