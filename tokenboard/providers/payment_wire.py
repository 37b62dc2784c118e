"""The wire to payment providers (providers/wire.py), with their errors."""

from __future__ import annotations

from tokenboard.providers.payments import BadAnswer, PaymentError, TimedOut, Unavailable
from tokenboard.providers.wire import Faults, Limits, Reply, Wire

__all__ = ["Limits", "PaymentWire", "Reply"]


class PaymentWire(Wire):
    """Carries requests to payment providers. One serves the whole process; it holds no key."""

    faults = Faults(PaymentError, TimedOut, Unavailable, BadAnswer)
    log_name = "payment call"
