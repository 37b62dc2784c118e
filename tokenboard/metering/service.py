"""Metering's use cases, for the rooms above. Import them from here.

    call = service.begin(order=CallOrder(…))   # credits are held; commit, then ask the provider
    …                                          # the recorder writes what arrives, before it is delivered
    service.settle(call_id=call.id, outcome=Outcome("ok", usage))   # once; commit

Laws: every function runs in the caller's transaction and never commits; after an error the caller rolls back.
"""

from __future__ import annotations

from tokenboard.metering import rules
from tokenboard.metering.beginning_service import LEASE_SECONDS, begin, estimate
from tokenboard.metering.calls import open_call_of
from tokenboard.metering.facts import (
    CallOrder,
    Estimate,
    Ingested,
    OpenCall,
    Outcome,
    Price,
    Settled,
    UsageFact,
    UsageTold,
)
from tokenboard.metering.rules import Delivery, Size, Tariff
from tokenboard.metering.settling_service import request_stop, settle, settle_lost, settled_before
from tokenboard.metering.usage_service import ingest
from tokenboard.metering.worth import credit_value_nano

__all__ = [
    "LEASE_SECONDS",
    "CallOrder",
    "Estimate",
    "Ingested",
    "OpenCall",
    "Outcome",
    "Price",
    "Settled",
    "UsageFact",
    "UsageTold",
    "begin",
    "estimate",
    "ingest",
    "open_call_of",
    "request_stop",
    "settle",
    "settle_lost",
    "settled_before",
    "watermark_micros",
]


def watermark_micros(call: OpenCall, recorded_bytes: int) -> int:
    """What the call would be charged if it ended now, with so many bytes recorded and no word from the provider."""
    delivery = Delivery(
        Size(call.prompt_bytes, call.prompt_tokens_bound), call.max_output_tokens, call.held_micros, recorded_bytes
    )
    return rules.watermark_micros(Tariff(call.price, call.markup, credit_value_nano()), delivery)
