"""An event as large as Stripe's own: the checkout session of a pack, with every key that the house reads."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from tokenboard.providers.stripe_events import API_VERSION

_MARK = "evt_bench"
_SIZE_BYTES = 3_000  # what the examples of checkout.session.completed come to


def _event() -> dict[str, Any]:
    session = {
        "id": "cs_test_bench",
        "object": "checkout.session",
        "amount_subtotal": 999,
        "amount_total": 999,
        "client_reference_id": "bench",
        "created": 1_793_577_600,
        "currency": "usd",
        "customer": "cus_bench",
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_intent": "pi_bench",
        "payment_status": "paid",
        "status": "complete",
    }
    return {
        "id": _MARK,
        "object": "event",
        "api_version": API_VERSION,
        "created": 1_793_577_605,
        "data": {"object": session},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }


@lru_cache
def _template() -> tuple[bytes, bytes]:
    bare = json.dumps(_event() | {"padding": ""})
    whole = json.dumps(_event() | {"padding": "x" * (_SIZE_BYTES - len(bare))})
    before, _, after = whole.encode().partition(_MARK.encode())
    return before, after


def event_body(event_id: str) -> bytes:
    """The event under this id."""
    before, after = _template()
    return before + event_id.encode() + after
