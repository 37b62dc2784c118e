"""The doors that payment providers knock at: verify the bytes, store them once, say 200, ring.

Laws: no secret, no door (503); the body is read raw and at most 1 MB of it; nothing is handled here, so that an answer
takes milliseconds, also without Redis; only a stored event is answered with 200.
"""

from __future__ import annotations

import re

from flask import Blueprint, request

from tokenboard.billing import inbox_service, shapes
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, TokenBoardError, TooLarge
from tokenboard.core.redaction import redact
from tokenboard.providers.payments import EventUnreadable, SecretMissing, SignatureRefused
from tokenboard.web.api import Answer, operation
from tokenboard.web.clients import clients
from tokenboard.web.limits import limiter
from tokenboard.web.security import exempt_from_csrf

blueprint = Blueprint("billing_webhooks", __name__)

BODY_BYTES_MAX = 1024 * 1024
_KEPT = ("Content-Type", "Content-Length", "User-Agent", "Stripe-Signature", "X-Paystack-Signature")
_MARK = re.compile(r"(\bv\d=\w{1,8})\w*", re.ASCII)
_WHY = "signed by the provider; no cookie counts"
_TAG = "Webhooks"


class BadDelivery(TokenBoardError):
    status = 400
    code = "bad_signature"


@blueprint.post("/api/webhooks/stripe")
@blueprint.post("/api/billing/webhook", endpoint="stripe_alias")
@exempt_from_csrf(_WHY)
@limiter.exempt
@operation(
    "Stripe's events", auth="stripe", sends=shapes.StripeEvent, tag=_TAG, answer={"received": bool}, errors=(400, 413)
)
def stripe() -> Answer:
    body = _raw_body()
    try:
        event = clients().stripe().verify_event(body, request.headers.get("Stripe-Signature"), now())
    except SecretMissing as error:
        words = "Stripe's webhooks are off: set STRIPE_WEBHOOK_SECRET."
        raise NotConfigured(words, setting="STRIPE_WEBHOOK_SECRET") from error
    except (SignatureRefused, EventUnreadable) as error:
        raise _refused("stripe", error) from error
    inbox_service.receive_stripe(event=event, body=body, headers=_kept_headers())
    db.session.commit()
    return {"received": True}


@blueprint.post("/api/webhooks/paystack")
@exempt_from_csrf(_WHY)
@limiter.exempt
@operation(
    "Paystack's events",
    auth="paystack",
    sends=shapes.PaystackEvent,
    tag=_TAG,
    answer={"received": bool},
    errors=(400, 413),
)
def paystack() -> Answer:
    body = _raw_body()
    try:
        event = clients().paystack().verify_event(body, request.headers.get("x-paystack-signature"))
    except SecretMissing as error:
        words = "Paystack's webhooks are off: set PAYSTACK_SECRET_KEY."
        raise NotConfigured(words, setting="PAYSTACK_SECRET_KEY") from error
    except (SignatureRefused, EventUnreadable) as error:
        raise _refused("paystack", error) from error
    inbox_service.receive_paystack(event=event, body=body, headers=_kept_headers())
    db.session.commit()
    return {"received": True}


def _raw_body() -> bytes:
    """Raises: TooLarge."""
    request.max_content_length = BODY_BYTES_MAX
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise TooLarge("A webhook has at most 1 MB.")
    return request.get_data(cache=False)


def _kept_headers() -> dict[str, str]:
    """What helps to understand a delivery; of a signature only its beginning, so that nothing can be sent again."""
    kept = {name: request.headers.get(name, "") for name in _KEPT}
    kept["Stripe-Signature"] = _MARK.sub(r"\1…", kept["Stripe-Signature"])
    kept["X-Paystack-Signature"] = kept["X-Paystack-Signature"][:8] + "…" if kept["X-Paystack-Signature"] else ""
    return {name: redact(value)[:200] for name, value in kept.items() if value}


def _refused(provider: str, error: Exception) -> BadDelivery:
    inbox_service.note_refused(provider=provider, why=str(error))
    db.session.commit()
    return BadDelivery("The signature does not hold.")
