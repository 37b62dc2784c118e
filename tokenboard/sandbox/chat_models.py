"""The models the sandbox offers, as LiteLLM's price list tells them.

| model | what it is |
| --- | --- |
| `sandbox-swift` | cheap and quick, with a price for cached input |
| `sandbox-sage` | dear and thorough, with a price for cached input |
| `sandbox-thinker` | thinks before it speaks: reasoning tokens, billed as output |
| `sandbox-pocket` | reads 1,024 tokens at most, writes 256 |
| `sandbox-slow` | `sandbox-swift` at five chunks a second, whatever the pace is set to: time enough to stop it |
| `sandbox-free` | price 0 |
| `sandbox-unpriced` | no price at all |
| `sandbox-embed` | embeddings |

Units: USD per million tokens, as price lists write them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tokenboard.sandbox.chat_faults import FAULTS

_MTOK = Decimal(1_000_000)
SLOW_PACE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class ChatModel:
    """One model. A price of None is not told."""

    name: str
    input_usd: Decimal | None = Decimal("0.15")
    cached_usd: Decimal | None = Decimal("0.075")
    output_usd: Decimal | None = Decimal("0.60")
    window: int = 128_000
    max_output: int = 16_384
    mode: str = "chat"
    is_thinking: bool = False
    pace_seconds: float | None = None  # None: the sandbox's own

    @property
    def id(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    def cost(self, prompt: int, cached: int, completion: int) -> Decimal:
        """What LiteLLM would say it costs, in USD; 0 when it knows no price."""
        dear, cheap = self.input_usd or Decimal(0), self.cached_usd
        inputs = (prompt - cached) * dear + cached * (dear if cheap is None else cheap)
        return (inputs + completion * (self.output_usd or Decimal(0))) / _MTOK


_SWIFT = ChatModel("sandbox-swift")
OFFERED: tuple[ChatModel, ...] = (
    _SWIFT,
    ChatModel("sandbox-sage", Decimal("2.5"), Decimal("0.25"), Decimal(10), 400_000, 32_768),
    ChatModel("sandbox-thinker", Decimal("1.1"), Decimal("0.275"), Decimal("4.4"), 200_000, 65_536, is_thinking=True),
    ChatModel("sandbox-pocket", Decimal("0.1"), None, Decimal("0.2"), 1_024, 256),
    ChatModel("sandbox-slow", pace_seconds=SLOW_PACE_SECONDS),
    ChatModel("sandbox-free", Decimal(0), None, Decimal(0), 32_000, 4_096),
    ChatModel("sandbox-unpriced", None, None, None, 32_000, 4_096),
    ChatModel("sandbox-embed", Decimal("0.02"), None, Decimal(0), 8_192, 0, mode="embedding"),
)
# Priced like the cheap one, so that what a fault costs can be worked out.
FAULTY: tuple[ChatModel, ...] = tuple(ChatModel(fault.name) for fault in FAULTS if not fault.address)
_ALL = {model.name: model for model in (*OFFERED, *FAULTY)}


def model_named(name: object) -> ChatModel | None:
    return _ALL.get(name) if isinstance(name, str) else None


def price_entry(model: ChatModel) -> dict[str, Any]:
    """A deployment as /model/info tells it. What is unknown is null, as LiteLLM has it, or absent."""
    told: dict[str, Any] = {
        "id": model.id,
        "db_model": False,
        "key": model.name,
        "max_tokens": model.max_output or None,
        "max_input_tokens": model.window,
        "max_output_tokens": model.max_output or None,
        "litellm_provider": "sandbox",
        "mode": model.mode,
        "supports_reasoning": model.is_thinking or None,
    }
    if model.input_usd is not None and model.output_usd is not None:
        told["input_cost_per_token"] = float(model.input_usd / _MTOK)
        told["output_cost_per_token"] = float(model.output_usd / _MTOK)
        told["cache_read_input_token_cost"] = None if model.cached_usd is None else float(model.cached_usd / _MTOK)
    return {"model_name": model.name, "litellm_params": {"model": f"sandbox/{model.name}"}, "model_info": told}


def list_entry(model: ChatModel) -> dict[str, Any]:
    """A model as /v1/models tells it."""
    return {
        "id": model.name,
        "object": "model",
        "created": 1_677_610_602,
        "owned_by": "sandbox",
        "mode": model.mode,
        "max_input_tokens": model.window,
        "max_output_tokens": model.max_output,
    }
