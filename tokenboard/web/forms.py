"""Reads what a page's form sent: each field by its own strict reader, every fault at once.

read = fields(request.form, email=parse_email, name=required(80))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tokenboard.core.errors import TokenBoardError, ValidationFailed
from tokenboard.core.parsing import clean_text

Reader = Callable[[str], Any]


def fields(given: Mapping[str, str], **readers: Reader) -> dict[str, Any]:
    """The named fields as their readers return them. Raises: ValidationFailed, naming every field at fault."""
    read: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for name, reader in readers.items():
        try:
            read[name] = reader(given.get(name, ""))
        except ValueError as error:
            faults[name] = [str(error)]
    if faults:
        raise ValidationFailed(faults)
    return read


def line(longest: int, shortest: int = 0) -> Reader:
    """A reader of one line of text."""
    return lambda text: clean_text(text, longest=longest, shortest=shortest)


def one_of(*choices: str) -> Reader:
    """A reader of a choice."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError("Please choose one of these.")
        return text

    return read


def typed(text: str) -> str:
    """A reader that takes the text as it was typed: for passwords."""
    return text


def faults_of(refusal: TokenBoardError) -> dict[str, list[str]]:
    """What a form shows for a refusal: at the fields, or under `form` when no field is to blame."""
    return refusal.fields if isinstance(refusal, ValidationFailed) else {"form": [refusal.message]}
