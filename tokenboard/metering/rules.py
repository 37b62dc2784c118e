"""Pure decisions about a call's money: how much it can cost at most, and what it has cost. The one place of both.

The charging policy in words stands in docs/metering.md. Units: see `facts.py`.
Laws: a byte-level token covers at least one byte, so bytes bound tokens (reference/prices-and-tokens.md: 1.00 bytes a
token is reached by hostile text, 4 is usual); every rounding is up and named; a charge is at most what was held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tokenboard.core.errors import ValidationFailed
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.metering.facts import Price, UsageTold

MTOK = 1_000_000
DEFAULT_OUTPUT_TOKENS = 4_096
# A shorter answer than this is not worth starting: the call is refused with 402 instead.
LEAST_OUTPUT_TOKENS = 16
USUAL_BYTES_PER_TOKEN = 4
# Margins for role markers and the reply's priming; not measured against a provider.
MESSAGE_TOKENS, REPLY_TOKENS = 16, 64
# Repeated characters pack densely, but text of more bytes a token than this does not fit the window for certain.
MOST_BYTES_PER_TOKEN = 16
# Told usage past this much of its bound is not believed. Less than that over the bound is the house's loss.
BELIEVED_TIMES, BELIEVED_TOKENS = 4, 10_000
_TEXT_PARTS = frozenset({"text", "input_text", "output_text", "refusal"})


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price with what turns it into credits."""

    price: Price
    markup: Decimal
    credit_value_nano: int


@dataclass(frozen=True, slots=True)
class Size:
    """What a call sends."""

    prompt_bytes: int
    # No tokenizer can make more of it.
    prompt_tokens_bound: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How long an answer may get, and what must be held for it."""

    max_output_tokens: int
    hold_micros: int
    is_shortened: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is known of a call when it ends."""

    size: Size
    max_output_tokens: int
    held_micros: int
    delivered_bytes: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What a call has cost, and who pays: the wallet `credits_micros`, the house `absorbed_micros`."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cost_nano_usd: int
    credits_micros: int
    absorbed_micros: int
    is_estimated: bool
    is_odd: bool


def size_of(messages: Sequence[Mapping[str, Any]], tool_bytes: int, max_input_tokens: int | None) -> Size:
    """How much a call sends, and the most tokens it can be. Raises: ValidationFailed for anything but text."""
    sent = sum(_message_bytes(message) for message in messages) + tool_bytes
    bound = sent + MESSAGE_TOKENS * len(messages) + REPLY_TOKENS
    return Size(sent, min(bound, max_input_tokens) if max_input_tokens else bound)


def is_too_long(size: Size, max_input_tokens: int | None) -> bool:
    """Whether the model cannot read it for certain; closer calls are the provider's to refuse, at no charge."""
    return bool(max_input_tokens) and size.prompt_bytes > max_input_tokens * MOST_BYTES_PER_TOKEN  # type: ignore[operator]


def _message_bytes(message: Mapping[str, Any]) -> int:
    content = message.get("content")
    if isinstance(content, list) and not all(_is_text(part) for part in content):
        raise ValidationFailed({"messages": ["Only text can be sent: no images, audio or files."]})
    return sum(_bytes_of(value) for name, value in message.items() if name != "role")


def _is_text(part: object) -> bool:
    return isinstance(part, str) or (isinstance(part, Mapping) and part.get("type") in _TEXT_PARTS)


def _bytes_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping):
        return sum(_bytes_of(key) + _bytes_of(one) + 4 for key, one in value.items())
    if isinstance(value, list | tuple):
        return sum(_bytes_of(one) + 1 for one in value)
    return 0 if value is None else len(str(value))


def output_limit(wished: int | None, max_output_tokens: int | None) -> int:
    """The answer's greatest length: the caller's wish, at most what the model can write."""
    wanted = DEFAULT_OUTPUT_TOKENS if wished is None else max(1, wished)
    return min(wanted, max_output_tokens) if max_output_tokens else wanted


def cost_nano(price: Price, *, prompt_tokens: int, cached_tokens: int = 0, completion_tokens: int) -> int:
    """The provider's list price in nano-USD, rounded up once. Cached tokens are a part of the prompt's."""
    cached_price = price.cached_input_nano_per_mtok
    cached = min(cached_tokens, prompt_tokens) if cached_price is not None else 0
    exact = (
        (prompt_tokens - cached) * price.input_nano_per_mtok
        + cached * (cached_price or 0)
        + completion_tokens * price.output_nano_per_mtok
    )
    return _rounded_up(exact, MTOK)


def charge_micros(tariff: Tariff, cost_nano_usd: int) -> int:
    """What a customer pays for a provider's cost: times the markup, rounded up once to the next micro-credit."""
    return charged_micros(cost_nano_usd, markup=tariff.markup, credit_value_nano=tariff.credit_value_nano)


def charged_micros(cost_nano_usd: int, *, markup: Decimal, credit_value_nano: int) -> int:
    """The same for a cost that was reported without a price of ours."""
    numerator, denominator = markup.as_integer_ratio()
    return _rounded_up(cost_nano_usd * numerator * MICROS_PER_CREDIT, denominator * credit_value_nano)


def _rounded_up(amount: int, divisor: int) -> int:
    return -(-amount // divisor)


def most_micros(tariff: Tariff, size: Size, output_tokens: int) -> int:
    """The most a call with so long an answer can cost."""
    cost = cost_nano(tariff.price, prompt_tokens=size.prompt_tokens_bound, completion_tokens=output_tokens)
    return charge_micros(tariff, cost)


def plan(tariff: Tariff, size: Size, wanted_tokens: int, affordable_micros: int) -> Plan | None:
    """What to hold: for the whole length, else for as long an answer as can be paid. None: not even a short one."""
    whole = most_micros(tariff, size, wanted_tokens)
    if whole <= affordable_micros:
        return Plan(wanted_tokens, whole, is_shortened=False)
    tokens = _payable_tokens(tariff, size, affordable_micros)
    if tokens < least_tokens(wanted_tokens):
        return None
    return Plan(tokens, most_micros(tariff, size, tokens), is_shortened=True)


def least_tokens(wanted_tokens: int) -> int:
    """Below this a call is refused."""
    return min(LEAST_OUTPUT_TOKENS, wanted_tokens)


def _payable_tokens(tariff: Tariff, size: Size, affordable_micros: int) -> int:
    """The longest answer whose bound is within an amount: `most_micros` turned round."""
    numerator, denominator = tariff.markup.as_integer_ratio()
    nano = affordable_micros * denominator * tariff.credit_value_nano // (numerator * MICROS_PER_CREDIT)
    left = nano * MTOK - size.prompt_tokens_bound * tariff.price.input_nano_per_mtok
    # With a price of nothing for output the whole length would have been within the amount, or nothing is.
    return left // tariff.price.output_nano_per_mtok if left > 0 and tariff.price.output_nano_per_mtok else 0


def usual_tokens(byte_count: int) -> int:
    """Our own count: what so many bytes usually are."""
    return _rounded_up(byte_count, USUAL_BYTES_PER_TOKEN)


def watermark_micros(tariff: Tariff, delivery: Delivery) -> int:
    """The charge if the call ended now without a word from the provider: asked with every piece that is recorded."""
    if not delivery.delivered_bytes:
        return 0
    prompt, completion = _own_tokens(delivery)
    cost = cost_nano(tariff.price, prompt_tokens=prompt, completion_tokens=completion)
    return min(charge_micros(tariff, cost), delivery.held_micros)


def bill(tariff: Tariff, delivery: Delivery, usage: UsageTold | None) -> Bill:
    """What a call has cost. The provider's usage wins, 0 is a value; odd usage gives way to our own count.

    An answer that delivered nothing costs nothing. What the provider bills past the charge is the house's.
    """
    is_odd = usage is not None and _is_odd(usage, delivery)
    if usage is None or is_odd:
        return _own_count(tariff, delivery, is_odd=is_odd)
    cost = _cost_told(tariff, delivery, usage)
    full = charge_micros(tariff, cost)
    paid = min(full, delivery.held_micros) if delivery.delivered_bytes else 0
    return Bill(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=min(usage.cached_tokens, usage.prompt_tokens),
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=min(usage.reasoning_tokens, usage.completion_tokens),
        cost_nano_usd=cost,
        credits_micros=paid,
        absorbed_micros=full - paid,
        is_estimated=False,
        is_odd=False,
    )


def _own_count(tariff: Tariff, delivery: Delivery, *, is_odd: bool) -> Bill:
    if not delivery.delivered_bytes:
        return Bill(0, 0, 0, 0, 0, 0, 0, is_estimated=False, is_odd=is_odd)
    prompt, completion = _own_tokens(delivery)
    cost = cost_nano(tariff.price, prompt_tokens=prompt, completion_tokens=completion)
    full = charge_micros(tariff, cost)
    paid = min(full, delivery.held_micros)
    return Bill(prompt, 0, completion, 0, cost, paid, full - paid, is_estimated=True, is_odd=is_odd)


def _own_tokens(delivery: Delivery) -> tuple[int, int]:
    """Of the prompt and of what was delivered, by our own count."""
    prompt = min(usual_tokens(delivery.size.prompt_bytes), delivery.size.prompt_tokens_bound)
    return prompt, min(usual_tokens(delivery.delivered_bytes), delivery.max_output_tokens)


def _is_odd(usage: UsageTold, delivery: Delivery) -> bool:
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.reasoning_tokens)
    return (
        usage.is_odd
        or min(counts) < 0
        or usage.prompt_tokens > _believed(delivery.size.prompt_tokens_bound)
        or usage.completion_tokens > _believed(delivery.max_output_tokens)
    )


def _believed(bound: int) -> int:
    return bound * BELIEVED_TIMES + BELIEVED_TOKENS


def _cost_told(tariff: Tariff, delivery: Delivery, usage: UsageTold) -> int:
    """LiteLLM's own cost where it can be meant, else price times tokens.

    LiteLLM says 0 for what it has no price for; where the price is its own, 0 is an answer from its cache.
    """
    by_price = cost_nano(
        tariff.price,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
    )
    told = usage.cost_nano_usd
    if told is None or told < 0 or (told == 0 and tariff.price.source != "litellm"):
        return by_price
    most = cost_nano(
        tariff.price,
        prompt_tokens=_believed(delivery.size.prompt_tokens_bound),
        completion_tokens=_believed(delivery.max_output_tokens),
    )
    return told if told <= most or not most else by_price
