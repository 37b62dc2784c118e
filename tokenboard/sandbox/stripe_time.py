"""Catches up with time: whatever has fallen due since happens now, in order, each at its own moment."""

from __future__ import annotations

from tokenboard.sandbox import stripe_sessions, stripe_subscriptions
from tokenboard.sandbox.stripe_world import KIND_PREFIX, World

_ACTS_MAX = 10_000


def catch_up(world: World) -> int:
    """Let everything happen that is due; how many things that was. `world.now` ends where it began."""
    until = world.now
    for count in range(_ACTS_MAX):
        due = world.objects.next_due(KIND_PREFIX, until)
        if due is None:
            world.now = until
            return count
        kind, object_id, moment = due
        world.now = moment
        _happen(world, kind.removeprefix(KIND_PREFIX), object_id)
    raise AssertionError("the sandbox's clock was moved too far at once")


def _happen(world: World, kind: str, object_id: str) -> None:
    found = world.find(kind, object_id)
    if kind == "checkout.session":
        stripe_sessions.expire(world, found)
    elif kind == "payment_intent":
        stripe_sessions.settle(world, found)
    elif kind == "subscription":
        stripe_subscriptions.fall_due(world, found)
    else:
        stripe_subscriptions.invoice_due(world, found)
