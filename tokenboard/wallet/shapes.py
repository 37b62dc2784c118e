"""Shapes of answers about wallets (answers.py), for the OpenAPI document."""

from __future__ import annotations

from tokenboard.web.shapes import Credits, Id, Instant, Micros, Sentence, Shape


class Balance(Shape):
    """What is settled, what of it is reserved, what can be spent."""

    balance: Credits
    balance_micros: Micros
    held: Credits
    available: Credits


class Posting(Shape):
    """What a spend or grant did; the same again for a repeated idempotency key."""

    entry_id: Id
    balance: Credits
    balance_micros: Micros


class Redeemed(Posting):
    """A promo code's grant."""

    credits: Credits


class ExampleAnswer(Posting):
    """What the worked example found in the text, and what it cost."""

    answer: Sentence
    credits: Credits


class Entry(Shape):
    """One line of the statement."""

    id: Id
    kind: str
    amount: Credits
    amount_micros: Micros
    balance_after: Credits
    balance_after_micros: Micros
    description: Sentence
    source: str
    created_at: Instant
