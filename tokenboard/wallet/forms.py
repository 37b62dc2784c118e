"""What programs and people send to the wallet's doors: shapes and limits.

An amount is a JSON number of credits with at most six decimals; text, however numeric, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator
from werkzeug.datastructures import Headers

from tokenboard.core.clock import now
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import LONGEST_EMAIL, clean_text, parse_email
from tokenboard.wallet.adjustment_rules import LONGEST_REASON, SHORTEST_REASON
from tokenboard.wallet.models import AdjustmentKind
from tokenboard.wallet.rules import read_credits, read_expiry, read_key, read_signed_credits, read_typed_credits
from tokenboard.web.api import Body, Query, limits
from tokenboard.web.forms import fields, line, one_of

LONGEST_PROMPT = 2_000
MOST_ENTRIES, USUAL_ENTRIES = 200, 50

_AMOUNT_SCHEMA = {"type": "number", "exclusiveMinimum": 0, "maximum": 10**9, "description": "credits, six decimals"}
_KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
_INSTANT_SCHEMA = {"type": "string", "description": "an instant in the future, or a day, which counts to its end"}

Credits = Annotated[int, PlainValidator(read_credits), WithJsonSchema(_AMOUNT_SCHEMA)]
Key = Annotated[str, PlainValidator(read_key), WithJsonSchema(_KEY_SCHEMA)]


def _reason(text: str) -> str:
    return clean_text(text, longest=LONGEST_REASON, shortest=1)


def _expiry(value: object) -> datetime:
    return read_expiry(value, now())


Reason = Annotated[str, AfterValidator(_reason), limits(1, LONGEST_REASON)]
Expiry = Annotated[datetime, PlainValidator(_expiry), WithJsonSchema(_INSTANT_SCHEMA)]


class WalletQuery(Query):
    workspace_id: str | None = None


class LedgerQuery(Query):
    workspace_id: str | None = None
    limit: int = Field(USUAL_ENTRIES, ge=1, le=MOST_ENTRIES)
    cursor: str | None = Field(None, max_length=200)
    kind: str | None = Field(None, max_length=20)


class SpendBody(Body):
    workspace_id: str | None = None
    amount: Credits
    reason: Reason
    idempotency_key: Key | None = None


class GrantBody(Body):
    """To whom: one of userId (their own workspace), email (the same), workspaceId."""

    user_id: str | None = Field(None, max_length=100)
    email: Annotated[str, AfterValidator(parse_email), limits(5, LONGEST_EMAIL, format="email")] | None = None
    workspace_id: str | None = Field(None, max_length=100)
    amount: Credits
    reason: Reason
    idempotency_key: Key | None = None
    expires_at: Expiry | None = None

    @model_validator(mode="after")
    def _one_receiver(self) -> GrantBody:
        if sum(one is not None for one in (self.user_id, self.email, self.workspace_id)) != 1:
            raise ValueError("Name one receiver: userId, email or workspaceId.")
        return self


class ExampleBody(Body):
    workspace_id: str | None = None
    prompt: Annotated[str, AfterValidator(lambda text: clean_prompt(text)), limits(0, LONGEST_PROMPT)] = ""
    idempotency_key: Key | None = None


def clean_prompt(text: str) -> str:
    """The text that the worked example works on."""
    return clean_text(text, longest=LONGEST_PROMPT, single_line=False)


def key_of(in_body: str | None, headers: Headers) -> str | None:
    """The idempotency key, from the body or the header; both must agree. Raises: ValidationFailed."""
    given = headers.get("Idempotency-Key")
    if given is None:
        return in_body
    try:
        in_header = read_key(given)
    except ValueError as error:
        raise ValidationFailed({"Idempotency-Key": [str(error)]}) from error
    if in_body is not None and in_body != in_header:
        raise ValidationFailed({"idempotencyKey": ["The body and the Idempotency-Key header name different keys."]})
    return in_header


def required_key(in_body: str | None, headers: Headers) -> str:
    """As `key_of`, for acts that must have one. Raises: ValidationFailed."""
    key = key_of(in_body, headers)
    if key is None:
        raise ValidationFailed({"idempotencyKey": ["This field is required, here or as the Idempotency-Key header."]})
    return key


@dataclass(frozen=True, slots=True)
class AdjustmentForm:
    """An adjustment as typed into the page, read."""

    kind: AdjustmentKind
    amount_micros: int
    reason: str
    expires_at: datetime | None


def read_adjustment(given: Mapping[str, str]) -> AdjustmentForm:
    """Raises: ValidationFailed, naming each field."""
    read: dict[str, Any] = fields(
        given,
        kind=one_of(*AdjustmentKind),
        amount=read_signed_credits,
        reason=line(LONGEST_REASON, SHORTEST_REASON),
        expires_on=lambda text: _expiry(text.strip()) if text.strip() else None,
    )
    kind = AdjustmentKind(read["kind"])
    if kind == AdjustmentKind.GIFT and read["amount"] < 0:
        raise ValidationFailed({"amount": ["A gift adds credits. Choose a correction to take some away."]})
    if kind == AdjustmentKind.CORRECTION and read["expires_on"]:
        raise ValidationFailed({"expires_on": ["Corrections do not expire; leave this empty or make it a gift."]})
    return AdjustmentForm(kind, read["amount"], read["reason"], read["expires_on"])


def read_threshold(given: Mapping[str, str]) -> int | None:
    """The line below which to tell, in micro-credits; None: never. Raises: ValidationFailed."""
    read = fields(given, threshold=lambda text: read_typed_credits(text) if text.strip() else None)
    threshold: int | None = read["threshold"]
    return threshold
