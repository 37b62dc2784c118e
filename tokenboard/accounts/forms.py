"""What people and programs send to the doors of accounts: shapes and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tokenboard.core.parsing import LONGEST_EMAIL, clean_text, parse_email
from tokenboard.web.api import Body, limits

LONGEST_NAME = 80
LONGEST_TYPED = 1_000  # a password that is wrong anyway; the right ones end at 128
LONGEST_TOKEN = 200  # ours have 43 characters
THEMES = ("light", "dark", "system")


def display_name(text: str) -> str:
    """A name to be called by; empty: the e-mail's local part is shown."""
    return clean_text(text, longest=LONGEST_NAME)


def token_name(text: str) -> str:
    """What a token is called: one line of one to 80 characters."""
    return clean_text(text, longest=LONGEST_NAME, shortest=1)


Email = Annotated[str, AfterValidator(parse_email), limits(5, LONGEST_EMAIL, format="email")]
DisplayName = Annotated[str, AfterValidator(display_name), limits(0, LONGEST_NAME)]
TokenName = Annotated[str, AfterValidator(token_name), limits(1, LONGEST_NAME)]


class SignInBody(Body):
    """Nothing is judged here but the type: every wrong sign-in gets one answer."""

    email: str = Field(max_length=LONGEST_TYPED)
    password: str = Field(max_length=LONGEST_TYPED)
    code: str = Field(default="", max_length=LONGEST_TYPED)


class RegisterBody(Body):
    """A new account."""

    email: Email
    password: str = Field(max_length=LONGEST_TYPED)
    display_name: DisplayName = ""


class ForgotBody(Body):
    """Whose password is forgotten."""

    email: Email


class ResetBody(Body):
    """The last part of a mailed link, and the new password."""

    token: str = Field(min_length=1, max_length=LONGEST_TOKEN)
    password: str = Field(max_length=LONGEST_TYPED)


class VerifyBody(Body):
    """The last part of a mailed link."""

    token: str = Field(min_length=1, max_length=LONGEST_TOKEN)


class ConfirmBody(Body):
    """What proves again who sits there."""

    password: str = Field(default="", max_length=LONGEST_TYPED)
    code: str = Field(default="", max_length=LONGEST_TYPED)


class CodeBody(Body):
    """A code of the authenticator app."""

    code: str = Field(max_length=LONGEST_TYPED)


class PasswordBody(Body):
    """The password there is, and the one to be."""

    current_password: str = Field(default="", max_length=LONGEST_TYPED)
    password: str = Field(max_length=LONGEST_TYPED)


class TokenBody(Body):
    """A token for a program: what to call it, and for how many days; 0: until it is ended."""

    name: TokenName
    days: int = Field(default=90, ge=0, le=3_650)


class MailChoicesBody(Body):
    """The mails to get; those that are not named are not sent."""

    mails: list[Literal["summary", "receipts"]] = Field(max_length=10)
