"""A body for each call of the OpenAPI document, to be read and to be sent: tests/house/test_openapi.py sends them all.

A call that is not listed shows what its schema gives. Ids and codes are made up, so such a call answers 404 or 409.
"""

from __future__ import annotations

from typing import Any

_ID = "01935a6e-7c1d-7b52-9a51-2f0b7c0d9e11"
_PASSWORD = "a long sentence to sign in with"  # noqa: S105 - an example, nobody's
_KEY = {"idempotencyKey": "order-2026-11-20-1"}
_CONNECT = {"apiKey": "sk-admin-your-key", "mode": "organization"}
_MONTH = "2026-11"
_STRIPE_EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1_795_183_500,
    "livemode": False,
    "type": "checkout.session.completed",
    "data": {"object": {"id": "cs_1", "object": "checkout.session"}},
}

EXAMPLES: dict[str, Any] = {
    "POST /api/auth/register": {"email": "zoe@example.com", "password": _PASSWORD, "displayName": "Zoe"},
    "POST /api/auth/login": {"email": "zoe@example.com", "password": _PASSWORD},
    "POST /api/auth/forgot": {"email": "zoe@example.com"},
    "POST /api/auth/reset": {"token": "the-last-part-of-the-mailed-link", "password": _PASSWORD},
    "POST /api/auth/verify": {"token": "the-last-part-of-the-mailed-link"},
    "POST /api/auth/confirm": {"password": _PASSWORD},
    "POST /api/account/password": {"currentPassword": _PASSWORD, "password": "another long sentence of mine"},
    "POST /api/account/email": {"email": "zoe@new.example.com"},
    "POST /api/account/second-factor/confirm": {"code": "123456"},
    "POST /api/account/tokens": {"name": "nightly report", "days": 90},
    "PATCH /api/account": {"displayName": "Zoe"},
    "DELETE /api/account": {"email": "zoe@example.com"},
    "POST /api/workspaces": {"name": "Research"},
    "PATCH /api/workspaces/{workspaceId}": {"name": "Research and design"},
    "POST /api/workspaces/{workspaceId}/members": {"email": "bob@example.com", "role": "member"},
    "POST /api/workspaces/{workspaceId}/invitations": {"email": "bob@example.com", "role": "viewer"},
    "PATCH /api/workspaces/{workspaceId}/members/{personId}": {"role": "admin", "monthlyCapCents": 5_000},
    "POST /api/workspaces/{workspaceId}/transfer": {"personId": _ID},
    "POST /api/invitations/accept": {"token": "the-last-part-of-the-invitations-link"},
    "POST /api/connections": {"provider": "openai"} | _CONNECT,
    "PATCH /api/connections/{connectionId}": {"apiKey": "sk-admin-another-key"},
    "DELETE /api/connections/{connectionId}": {"history": "keep"},
    "POST /api/openai/connect": _CONNECT,
    "DELETE /api/openai/connect": {"history": "keep"},
    "POST /api/openai/sync": {},
    "POST /api/budgets": {"amountCents": 180_000, "month": _MONTH},
    "POST /api/credits/spend": {"amount": 2.5, "reason": "one picture"} | _KEY,
    "POST /api/credits/grant": {"email": "zoe@example.com", "amount": 500, "reason": "prize of the spring fair"} | _KEY,
    "POST /api/example/use-credits": {"prompt": "How many words are in this sentence?"},
    "POST /api/credits/buy": {"packageId": "price_SbxPack100", "provider": "stripe"} | _KEY,
    "POST /api/credits/redeem": {"code": "SPRING-7KQ2-9XWD"},
    "PUT /api/credits/auto-topup": {
        "enabled": True,
        "thresholdCredits": 100,
        "packageId": "price_SbxPack100",
        "monthlyCapCents": 5_000,
    },
    "POST /api/billing/checkout": {"packageId": "price_SbxPack100"} | _KEY,
    "POST /api/billing/checkout-session": {"priceId": "price_SbxPack100", "successUrl": "/credits"},
    "POST /api/billing/portal-link": {},
    "POST /api/checkout/start": {"amountUsd": 12.5, "currency": "USD"},
    "POST /api/checkout/mpesa": {"amountUsd": 5, "phone": "0712 345 678"},
    "POST /api/admin/payments/{paymentId}/refund": {"amountCents": 250},
    "POST /api/admin/alerts": {"message": "The card of OpenAI's account ends this month.", "severity": "warning"},
    "PATCH /api/admin/users/{personId}": {"monthlyBudgetCents": 5_000},
    "POST /api/admin/books/close": {"month": "2025-01"},
    "POST /api/admin/promo-codes": {"name": "Spring fair", "count": 3, "credits": 50} | _KEY,
    "POST /api/chat": {"message": "Say hello in three languages.", "model": "gpt-4o-mini"},
    "PATCH /api/conversations/{conversationId}": {"title": "Greetings"},
    "POST /api/keys": {"name": "build bot", "maxBudgetCents": 1_000, "budgetDuration": "month"},
    "PATCH /api/keys/{keyId}": {"name": "build bot 2", "maxBudgetCents": None},
    "POST /api/keys/{keyId}/rotate": {"overlapMinutes": 60},
    "POST /api/budget/sync": {},
    "POST /v1/chat/completions": {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_completion_tokens": 50,
    },
    "POST /v1/embeddings": {"model": "text-embedding-3-small", "input": ["a first text", "a second text"]},
    "POST /api/webhooks/stripe": _STRIPE_EVENT,
    "POST /api/billing/webhook": _STRIPE_EVENT,
    "POST /api/webhooks/paystack": {
        "event": "charge.success",
        "data": {"id": 1, "domain": "test", "reference": _ID, "status": "success"},
    },
    "POST /api/webhooks/litellm": [{"id": "chatcmpl-1", "call_type": "acompletion", "response_cost": 0.0012}],
}
