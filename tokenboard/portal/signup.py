"""Sign-up: a person, the workspace that is theirs from the first minute with its wallet, and the first credits.

All in one transaction. With mail set up the credits wait until the address is verified (`wallet.grant_sign_up`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.accounts import service as accounts, setup_links
from tokenboard.accounts.models import Person
from tokenboard.core.settings import settings
from tokenboard.wallet import service as wallet
from tokenboard.workspaces import service as workspaces
from tokenboard.workspaces.models import Workspace
from tokenboard.workspaces.rules import LONGEST_NAME

_OWN = "’s workspace"


@dataclass(frozen=True, slots=True)
class SignedUp:
    """Who was made, and what is theirs."""

    person: Person
    workspace: Workspace


def sign_up(*, email: str, password: str, display_name: str = "") -> SignedUp:
    """A new person, their workspace with its wallet, and the first credits.

    Raises: ValidationFailed (password), EmailTaken.
    """
    person = accounts.register(email=email, password=password, display_name=display_name)
    name = person.name[: LONGEST_NAME - len(_OWN)] + _OWN
    workspace = workspaces.create(owner=person, name=name, is_personal=True)
    if not settings().smtp_url:  # no mail, no verifying: the credits come at once
        wallet.grant_sign_up(person=person, workspace=workspace)
    return SignedUp(person, workspace)


def set_up_administrator(*, token: str, email: str, password: str, display_name: str = "") -> SignedUp:
    """The first administrator, by the one-time link. Raises: LinkUsed, ValidationFailed (password), EmailTaken."""
    made = sign_up(email=email, password=password, display_name=display_name)
    setup_links.redeem(token)
    accounts.make_administrator(made.person, actor="setup link")
    return made
