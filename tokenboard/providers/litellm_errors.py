"""What can go wrong at a LiteLLM proxy's admin API, as named facts.

    LiteLLMError
    ├── ProxyUnavailable     down, restarting, or its database is: ask again later
    │   └── ProxyTimedOut    no complete answer in time
    ├── ProxyBadAnswer       an answer that cannot be read or trusted
    ├── MasterKeyRefused     the operator must look at LITELLM_MASTER_KEY
    ├── AlreadyThere         a key alias, customer or user that exists
    ├── NotThere             it knows no such key, customer, user or budget
    └── ProxyRefused         any other 4xx: asking the same again will not help

Laws: LiteLLM answers in two families of errors, with types that do not fit (a lost database is `400 auth_error`), so
status, type and known words decide together, never one alone; `detail` is cleaned and holds no key.
Source: reference "LiteLLM", section 3, seen on 1.106.2 in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tokenboard.providers.errors import cleaned

PROVIDER = "litellm"
_DATABASE_IS_AWAY = ("can't reach database server", "no_db_connection", "database is temporarily unreachable")
_EXISTS = ("already exists", "already exist")


class LiteLLMError(Exception):
    """The proxy did not do what was asked for."""

    sentence: ClassVar[str] = "The LiteLLM proxy did not answer as expected. It is tried again by itself."
    is_retryable: ClassVar[bool] = False

    def __init__(self, provider: str = PROVIDER, *, status: int | None = None, detail: str = "") -> None:
        self.provider = provider
        self.status = status
        self.detail = detail
        self.user_message = self.sentence
        super().__init__(self.sentence)

    def __str__(self) -> str:
        status = f" ({self.status})" if self.status else ""
        return f"{type(self).__name__}{status}{f': {self.detail}' if self.detail else ''}"

    __repr__ = __str__


class ProxyUnavailable(LiteLLMError):
    """Down, or its database is; nothing is wrong with what was asked."""

    sentence = "The LiteLLM proxy cannot be reached right now. It is tried again by itself; nothing is lost."
    is_retryable = True


class ProxyTimedOut(ProxyUnavailable):
    """No complete answer in time; what was asked may have been done, and asking for the same again is harmless."""

    sentence = "The LiteLLM proxy took too long to answer. It is tried again by itself; nothing is lost."


class ProxyBadAnswer(LiteLLMError):
    """The answer cannot be read or trusted."""

    sentence = "The LiteLLM proxy sent an answer that could not be read. It is tried again by itself."
    is_retryable = True


class MasterKeyRefused(LiteLLMError):
    """The master key is wrong, or is no master key."""

    sentence = "The LiteLLM proxy does not accept the master key. The operator must look at LITELLM_MASTER_KEY."


class AlreadyThere(LiteLLMError):
    """A key alias, customer, user or budget of this name exists."""

    sentence = "The LiteLLM proxy knows this name already."


class NotThere(LiteLLMError):
    """The proxy knows no such thing: never made, deleted, or its database began anew."""

    sentence = "The LiteLLM proxy does not know this. It is made anew by itself."


class ProxyRefused(LiteLLMError):
    """The proxy calls the request wrong."""

    sentence = "The LiteLLM proxy refused the request. The operator can see why in the sync state."


def refusal(status: int, answer: object, *secrets: str) -> LiteLLMError:
    """The named error of an answer with this status."""
    kind, message = _told(answer)
    words = message.lower()
    found: type[LiteLLMError] = ProxyRefused
    if status >= 500 or status == 429 or kind == "no_db_connection" or any(one in words for one in _DATABASE_IS_AWAY):
        found = ProxyUnavailable
        if "enterprise" in words:  # a paid feature answers 500; it will not come by waiting
            found = ProxyRefused
    elif any(one in words for one in _EXISTS):
        found = AlreadyThere
    elif status == 404:
        found = NotThere
    elif status in (401, 403):
        found = MasterKeyRefused
    return found(status=status, detail=cleaned(message, *secrets))


def _told(answer: object) -> tuple[str, str]:
    """Type and message of either family: `{"error": {…}}`, `{"detail": {"error": …}}`, `{"detail": [{…}]}`."""
    if not isinstance(answer, Mapping):
        return "", ""
    error, detail = answer.get("error"), answer.get("detail")
    if isinstance(error, Mapping):
        return str(error.get("type") or ""), str(error.get("message") or "")
    if isinstance(detail, Mapping):
        return "", str(detail.get("error") or "")
    if isinstance(detail, list) and detail and isinstance(detail[0], Mapping):
        where = ".".join(str(part) for part in detail[0].get("loc") or ())
        return "validation", f"{where}: {detail[0].get('msg')}"
    return "", str(error or detail or "")
