"""How models, usage records and receipts look on the wire (api.md)."""

from __future__ import annotations

from typing import Any

from tokenboard.core.money import credits_from_micros, json_number, usd_from_nano
from tokenboard.metering import price_queries, rules
from tokenboard.metering.facts import Price
from tokenboard.metering.rules import Tariff
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.usage_queries import Item
from tokenboard.metering.usage_rules import Sums
from tokenboard.metering.worth import credit_value_nano


def model_answer(price: Price) -> dict[str, Any]:
    """A model on offer: what a million tokens cost in credits, markup included."""
    tariff = Tariff(price, price_queries.markup_for(price), credit_value_nano())
    cached = price.cached_input_nano_per_mtok
    return {
        "id": price.model,
        "provider": price.provider,
        "inputCreditsPerMTok": credits_for(tariff, price.input_nano_per_mtok),
        "cachedInputCreditsPerMTok": None if cached is None else credits_for(tariff, cached),
        "outputCreditsPerMTok": credits_for(tariff, price.output_nano_per_mtok),
        "maxInputTokens": price.max_input_tokens,
        "maxOutputTokens": price.max_output_tokens or rules.DEFAULT_OUTPUT_TOKENS,
    }


def credits_for(tariff: Tariff, nano_usd: int) -> int | float:
    """A provider's cost as a number of credits."""
    return credits_number(rules.charge_micros(tariff, nano_usd))


def credits_number(micros: int) -> int | float:
    """Credits as a JSON number."""
    return json_number(credits_from_micros(micros))


def usage_answer(record: UsageRecord) -> dict[str, Any]:
    """One request, as the older clients read it."""
    balance = record.balance_after_micros
    return {
        "id": record.id,
        "userId": record.person_id,
        "conversationId": record.conversation_id,
        "model": record.model,
        "tokensUsed": record.prompt_tokens + record.completion_tokens,
        "promptTokens": record.prompt_tokens,
        "completionTokens": record.completion_tokens,
        "credits": credits_number(record.credits_micros),
        "balanceAfter": None if balance is None else credits_number(balance),
        "type": record.source,
        "latencyMs": record.latency_ms,
        "createdAt": record.occurred_at,
    }


def log_answer(record: UsageRecord) -> dict[str, Any]:
    """One request with all that is known of it."""
    return usage_answer(record) | {
        "keyId": record.key_id,
        "messageId": record.message_id,
        "status": record.status,
        "errorCode": record.error_code or None,
        "cachedTokens": record.cached_tokens,
        "reasoningTokens": record.reasoning_tokens,
        "usd": json_number(usd_from_nano(record.cost_nano_usd)),
        "firstTokenMs": record.first_token_ms,
        "isEstimated": record.is_estimated,
    }


def item_answer(item: Item) -> dict[str, Any]:
    """One line of a breakdown."""
    return {"key": item.key, "name": item.name} | sums_answer(item.sums)


def sums_answer(sums: Sums) -> dict[str, Any]:
    """What was used, added up."""
    return {
        "requests": sums.requests,
        "errors": sums.errors,
        "promptTokens": sums.prompt_tokens,
        "cachedTokens": sums.cached_tokens,
        "completionTokens": sums.completion_tokens,
        "reasoningTokens": sums.reasoning_tokens,
        "credits": credits_number(sums.credits_micros),
        "usd": json_number(usd_from_nano(sums.cost_nano_usd)),
        "latencyP50Ms": sums.latency_ms(50),
        "latencyP95Ms": sums.latency_ms(95),
        "firstTokenP50Ms": sums.first_token_ms(50),
        "firstTokenP95Ms": sums.first_token_ms(95),
    }
