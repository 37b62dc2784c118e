"""Why a key's requests failed, in words: a code that this house or LiteLLM noted, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tokenboard.metering.error_queries import CodeCount
from tokenboard.web.filters import number

_MEANINGS = {
    "upstream_error": "The model's provider did not answer as expected",
    "upstream_timeout": "The provider was too slow, or fell silent in mid-answer",
    "rate_limited": "The provider had too many requests",
    "key_refused": "The provider refused this site's own key; its operator has to renew it",
    "model_not_found": "The provider knows no such model",
    "context_too_long": "More than the model reads at once",
    "content_refused": "Against the provider's rules",
    "too_large": "Too large for the provider",
    "budget_exceeded": "A budget at LiteLLM, or a quota at the provider, is used up",
    "restarting": "This site was restarted in mid-answer",
    "interrupted": "Writing the answer down took too long",
    "lost": "The process that wrote the answer down died",
    "internal_error": "Something broke on this site's side",
}
# What LiteLLM notes is the HTTP status of its refusal.
_STATUSES = {
    "400": "LiteLLM could not use the request, or a budget there is used up",
    "401": "LiteLLM refused the key",
    "403": "LiteLLM did not allow it to this key",
    "404": "LiteLLM knows no such model",
    "408": "The provider behind LiteLLM was too slow",
    "429": "Too many requests, at LiteLLM or behind it",
    "500": "LiteLLM, or the provider behind it, broke",
    "502": "The provider behind LiteLLM broke",
    "503": "The provider behind LiteLLM was away",
    "504": "The provider behind LiteLLM was too slow",
}
_UNKNOWN = "No further reason was noted"


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One way of failing: its code, what it means, how often."""

    code: str
    meaning: str
    status: str
    requests: str
    latest_at: datetime


def rows(counts: Sequence[CodeCount]) -> list[ErrorRow]:
    return [
        ErrorRow(one.code or "–", meaning(one.code), one.status, number(one.requests), one.latest_at) for one in counts
    ]


def meaning(code: str) -> str:
    return _MEANINGS.get(code) or _STATUSES.get(code) or _UNKNOWN
