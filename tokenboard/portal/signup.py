"""Sign-up: a person, the workspace that is theirs from the first minute with its wallet, and the first credits.

All in one transaction. With mail set up the credits wait until the address is verified (`wallet.grant_sign_up`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.accounts import mailbox_service, service as accounts, setup_links
from tokenboard.accounts.models import Person
from tokenboard.core.settings import settings
from tokenboard.wallet import service as wallet
from tokenboard.workspaces import access, service as workspaces
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
    return _settled(accounts.register(email=email, password=password, display_name=display_name))


def sign_up_elsewhere(*, email: str, display_name: str, is_verified: bool) -> SignedUp:
    """Somebody new who comes through the sign-in provider. Raises: EmailTaken."""
    made = accounts.register_elsewhere(email=email, display_name=display_name, is_verified=is_verified)
    return _settled(made)


def _settled(person: Person) -> SignedUp:
    """Their workspace, and the first credits: at once where the address is known to be theirs, or no mail is sent."""
    name = person.name[: LONGEST_NAME - len(_OWN)] + _OWN
    workspace = workspaces.create(owner=person, name=name, is_personal=True)
    if settings().smtp_url and person.email_verified_at is None:
        mailbox_service.send_verification(person)
    else:
        wallet.grant_sign_up(person=person, workspace=workspace)
    return SignedUp(person, workspace)


def confirm_address(*, token: str) -> Person:
    """The address is its person's, and their own workspace gets the first credits. Raises: LinkUsed."""
    return _with_first_credits(mailbox_service.verify(token=token))


def reset_password(*, token: str, password: str) -> Person:
    """A new password by a mailed link, which confirms the address too. Raises: LinkUsed, ValidationFailed."""
    return _with_first_credits(mailbox_service.reset_password(token=token, password=password))


def change_email(*, token: str) -> Person:
    """Another e-mail by a mailed link, which confirms it. Raises: LinkUsed, EmailTaken."""
    return _with_first_credits(mailbox_service.change_email(token=token))


def _with_first_credits(person: Person) -> Person:
    """Idempotent: once for a wallet and once for a mailbox."""
    wallet.grant_sign_up(person=person, workspace=access.own(person).workspace)
    return person


def set_up_administrator(*, token: str, email: str, password: str, display_name: str = "") -> SignedUp:
    """The first administrator, by the one-time link. Raises: LinkUsed, ValidationFailed (password), EmailTaken."""
    made = sign_up(email=email, password=password, display_name=display_name)
    setup_links.redeem(token)
    accounts.make_administrator(made.person, actor="setup link")
    return made
