"""Shapes of answers about one's own security (security_api.py), for the OpenAPI document."""

from __future__ import annotations

from tokenboard.web.shapes import Id, Instant, Name, Shape


class ApiToken(Shape):
    """A token for a program, without its secret."""

    id: Id
    name: Name
    last4: str
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None


class Session(Shape):
    """A place where somebody is signed in."""

    id: Id
    device: str
    network: str
    created_at: Instant
    last_seen_at: Instant
    is_current: bool


class MailChoices(Shape):
    """The mails somebody gets, of those that are offered, and whether the address may be written to at all."""

    mails: list[str]
    offered: list[str]
    address: str
    is_reachable: bool
