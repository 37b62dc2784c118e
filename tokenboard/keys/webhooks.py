"""The door that LiteLLM's callback knocks at: check the bearer, keep the bytes, answer, ring.

Laws: no secret, no door (503); at most 8 MB, on this route alone (512 records of 13 KB are 6.6 MB); nothing is parsed
here, for LiteLLM drops what comes while it waits for an answer. What the answer counts is therefore deliveries, not
records: `accepted` 1 was kept, `duplicates` 1 the very same bytes are kept already, `rejected` 1 neither JSON array nor
object, so not kept. What became of the records stands in the delivery's row.
Source: reference "LiteLLM", section 9.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from tokenboard.core.crypto import same_secret
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, TooLarge, Unauthenticated
from tokenboard.keys import shapes, spend_batch_service
from tokenboard.web.api import Answer, operation
from tokenboard.web.clients import clients
from tokenboard.web.limits import limiter
from tokenboard.web.security import exempt_from_csrf

blueprint = Blueprint("keys_webhooks", __name__)

BODY_BYTES_MAX = 8 * 1024 * 1024


@blueprint.post("/api/webhooks/litellm")
@exempt_from_csrf("only the callback's bearer opens it; no cookie counts")
@limiter.exempt
@operation(
    "LiteLLM's logging callback",
    auth="litellm",
    sends=list[dict[str, Any]],
    tag="Webhooks",
    answer=shapes.Delivered,
    errors=(413,),
)
def litellm() -> Answer:
    _require_secret()
    body = _raw_body()
    if body.lstrip()[:1] not in (b"[", b"{"):
        return _counted(rejected=1)
    is_new = spend_batch_service.receive(body=body)
    db.session.commit()
    return _counted(accepted=int(is_new), duplicates=int(not is_new))


def _require_secret() -> None:
    """Raises: NotConfigured, Unauthenticated."""
    expected = clients().litellm_webhook_secret()
    if not expected:
        words = "LiteLLM's callback is off: set LITELLM_WEBHOOK_SECRET."
        raise NotConfigured(words, setting="LITELLM_WEBHOOK_SECRET")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not same_secret(given.strip(), expected):
        raise Unauthenticated("The bearer of this call is not LITELLM_WEBHOOK_SECRET.")


def _raw_body() -> bytes:
    """Raises: TooLarge."""
    request.max_content_length = BODY_BYTES_MAX
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise TooLarge("A delivery has at most 8 MB.")
    return request.get_data(cache=False)


def _counted(*, accepted: int = 0, duplicates: int = 0, rejected: int = 0) -> Answer:
    return {"accepted": accepted, "duplicates": duplicates, "rejected": rejected}
