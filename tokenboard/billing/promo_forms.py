"""What makes a batch of promo codes: as typed into the page, and as a program sends it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from tokenboard.billing.promo_rules import MOST_CODES, BatchWish
from tokenboard.core.clock import now
from tokenboard.core.parsing import clean_text, parse_id
from tokenboard.wallet.forms import Credits, Expiry, Key
from tokenboard.wallet.rules import read_expiry, read_typed_credits
from tokenboard.web.api import Body, Query, limits
from tokenboard.web.forms import Reader, fields, line, one_of

LONGEST_NAME, MOST_USES, MOST_DAYS = 80, 1_000_000, 3_650


def _name(text: str) -> str:
    return clean_text(text, longest=LONGEST_NAME, shortest=2)


class BatchBody(Body):
    """`credits` or `plan`, one of them."""

    name: Annotated[str, AfterValidator(_name), limits(2, LONGEST_NAME)]
    count: int = Field(1, ge=1, le=MOST_CODES)
    credits: Credits | None = None
    plan: str | None = Field(None, min_length=1, max_length=255)
    uses_each: int = Field(1, ge=1, le=MOST_USES)
    expires_at: Expiry | None = None
    credits_live_days: int = Field(0, ge=0, le=MOST_DAYS)
    idempotency_key: Key | None = None

    @model_validator(mode="after")
    def _one_gift(self) -> BatchBody:
        if (self.credits is None) == (self.plan is None):
            raise ValueError("Name credits or a plan, one of them.")
        return self

    def wish(self) -> BatchWish:
        """As the service takes it."""
        return BatchWish(
            name=self.name,
            count=self.count,
            credits_micros=self.credits or 0,
            plan_price=self.plan or "",
            uses_each=self.uses_each,
            expires_at=self.expires_at,
            credits_live_days=0 if self.plan else self.credits_live_days,
        )


class BatchQuery(Query):
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


@dataclass(frozen=True, slots=True)
class BatchForm:
    """The page's form, read; `form_key` is the batch's id."""

    wish: BatchWish
    form_key: str


def read_batch(given: Mapping[str, str]) -> BatchForm:
    """Raises: ValidationFailed, naming each field."""
    gives = fields(given, gives=one_of("credits", "plan"))["gives"]
    read = fields(
        given,
        form_key=parse_id,
        name=line(LONGEST_NAME, 2),
        count=_whole(1, MOST_CODES),
        uses_each=_whole(1, MOST_USES),
        expires_on=_expiry,
        **({"credits": read_typed_credits, "live_days": _days} if gives == "credits" else {"plan": line(255, 1)}),
    )
    wish = BatchWish(
        name=read["name"],
        count=read["count"],
        credits_micros=read.get("credits", 0),
        plan_price=read.get("plan", ""),
        uses_each=read["uses_each"],
        expires_at=read["expires_on"],
        credits_live_days=read.get("live_days", 0),
    )
    return BatchForm(wish, read["form_key"])


def _whole(least: int, most: int) -> Reader:
    def read(text: str) -> int:
        typed = text.strip().replace(",", "")
        if not re.fullmatch("[0-9]{1,9}", typed, re.ASCII) or not least <= int(typed) <= most:
            raise ValueError(f"A whole number from {least:,} to {most:,}.")
        return int(typed)

    return read


def _days(text: str) -> int:
    return int(_whole(1, MOST_DAYS)(text)) if text.strip() else 0


def _expiry(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return read_expiry(text.strip(), now())
    except ValueError as error:
        raise ValueError("A day that is not over yet, before the year 2200.") from error
