"""The shape of what is sent to connect, change and remove a provider, by JSON and by form.

Law: a key is trimmed and must look like a key (printable ASCII, no spaces) before it goes anywhere; it is never echoed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from tokenboard.core import clock
from tokenboard.core.money import NANO_PER_CENT
from tokenboard.core.parsing import parse_cents, parse_day
from tokenboard.web.api import Body, Query, limits
from tokenboard.web.forms import fields, one_of

Provider = Literal["openai", "anthropic"]
Mode = Literal["organization", "personal"]
History = Literal["keep", "delete"]
PROVIDERS: tuple[Provider, ...] = ("openai", "anthropic")
MODES: tuple[Mode, ...] = ("organization", "personal")

_KEY = re.compile(r"[\x21-\x7e]{8,512}")
_OLDEST_BALANCE = timedelta(days=730)


def read_key(text: str) -> str:
    """A provider's key as it was pasted. Raises: ValueError."""
    key = text.strip()
    if not key:
        raise ValueError("Paste the key here.")
    if not _KEY.fullmatch(key):
        raise ValueError("This is not a key: keys have at least 8 letters, digits and signs, and no spaces.")
    return key


ApiKey = Annotated[str, AfterValidator(read_key), limits(8, 512, format="password", pattern=r"^\s*[\x21-\x7e]+\s*$")]


class OpenAIConnectBody(Body):
    workspace_id: str | None = None
    api_key: ApiKey
    mode: Mode = "organization"


class ConnectBody(OpenAIConnectBody):
    provider: Provider


class ChangeBody(Body):
    """Another key, another mode, or both."""

    api_key: ApiKey | None = None
    mode: Mode | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> ChangeBody:
        if self.api_key is None and self.mode is None:
            raise ValueError("Give apiKey, mode, or both.")
        return self


class SyncBody(Body):
    workspace_id: str | None = None


class WorkspaceQuery(Query):
    workspace_id: str | None = None


class RemoveBody(SyncBody):
    history: History | None = None


class RemoveQuery(WorkspaceQuery):
    """For clients that send no body with DELETE."""

    history: History | None = None


def connect_fields(form: Mapping[str, str], *, has_own_key: bool) -> dict[str, Any]:
    """The connect form. Raises: ValidationFailed."""
    key = {"api_key": read_key} if has_own_key else {}
    return fields(form, provider=one_of(*PROVIDERS), mode=one_of(*MODES), **key)


def replace_fields(form: Mapping[str, str]) -> dict[str, Any]:
    """The form that replaces a key. Raises: ValidationFailed."""
    return fields(form, mode=one_of(*MODES), api_key=read_key)


def balance_fields(form: Mapping[str, str]) -> dict[str, Any]:
    """The typed-in balance, in nano-USD, and its day. Raises: ValidationFailed."""
    return fields(form, amount_nano=_read_nano, as_of_on=_read_past_day)


def _read_nano(text: str) -> int:
    if not text.strip():
        raise ValueError("Type the balance.")
    return parse_cents(text) * NANO_PER_CENT


def _read_past_day(text: str) -> date:
    try:
        day = parse_day(text)
    except ValueError as error:
        raise ValueError("Choose the day the balance was read on.") from error
    if not clock.today() - _OLDEST_BALANCE <= day <= clock.today():
        raise ValueError("Choose a day of the last two years, today at the latest.")
    return day
