"""What the payment providers of one sandbox share: their objects, their postman, one lock.

Law: everything that changes an object happens under the lock, so that two tabs that pay at once are two acts one
after the other; nothing is ever sent under it, because the receiver may ask back.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

from tokenboard.sandbox.memory import EXTENSION as SANDBOX
from tokenboard.sandbox.objects import Objects
from tokenboard.sandbox.postman import Endpoint, Postman

EXTENSION = "tokenboard-sandbox-payments"
STRIPE_KEY = "sk_test_sandbox"
STRIPE_WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105 - opens nothing but the sandbox
PAYSTACK_KEY = "sk_test_sandbox"
STRIPE_WEBHOOK_PATH = "/api/webhooks/stripe"
PAYSTACK_WEBHOOK_PATH = "/api/webhooks/paystack"


@dataclass(frozen=True, slots=True)
class Payments:
    """The payment side of one running sandbox."""

    objects: Objects
    postman: Postman
    lock: threading.RLock = field(default_factory=threading.RLock)


def payments() -> Payments:
    """The payment side of the sandbox this request belongs to."""
    return cast(Payments, current_app.extensions[EXTENSION])


def init_app(app: Flask, webhooks_to: str = "") -> None:
    """Give the sandbox its payment side. `webhooks_to` is the house's base URL; empty: events are only listed."""
    sandbox = app.extensions[SANDBOX]
    base = webhooks_to.rstrip("/")
    defaults = {
        "stripe": Endpoint(base and base + STRIPE_WEBHOOK_PATH, (STRIPE_WEBHOOK_SECRET,)),
        "paystack": Endpoint(base and base + PAYSTACK_WEBHOOK_PATH, (PAYSTACK_KEY,)),
    }
    postman = Postman(sandbox.store, sandbox.stopping, defaults)
    app.extensions[EXTENSION] = Payments(Objects(sandbox.store), postman)
