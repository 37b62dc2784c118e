"""What can go wrong at a provider, as named facts.

    ProviderError
    ├── KeyProblem             the owner must change the key; asking again is pointless
    │   ├── KeyRefused         wrong, expired or revoked
    │   ├── KeyLacksScope      right kind of key, too few permissions
    │   └── WrongKeyKind       a project's, service account's or browser's key where another kind is needed
    │       └── BalanceRefused the provider shows credit balances to its own website only
    ├── RateLimited            too many calls, or a quota that needs a person
    ├── ProviderUnavailable    5xx, refused connection, no such host
    ├── ProviderTimeout        no answer, or no complete answer, in time
    ├── BadAnswer              an answer that cannot be read or trusted
    │   ├── AnswerTooLarge     more bytes than we accept
    │   └── RequestRefused     the provider calls our request wrong (other 4xx)
    └── NotAvailable           this address does not exist there (404)

Laws: `user_message` is a whole sentence for a person and says what to do; `detail` is the provider's own words,
cleaned, shortened and redacted; neither ever holds a key. Sources: reference "OpenAI's admin API", A4 and A6,
November 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

_DETAIL_LENGTH_MAX = 300
# Anything that looks like a secret of the providers we talk to, also half-starred ones as OpenAI echoes them.
_SECRET_SHAPES = re.compile(r"(?i)\b(?:(?:sk|pk|rk|sess|whsec)[-_][\w*.…-]{3,}|bearer\s+[\w.~+/=*-]{3,})")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]+")


@dataclass(frozen=True, slots=True)
class Upstream:
    """One provider as a person meets it: which key it wants for this purpose, and where that key is made."""

    slug: str
    name: str
    key_kind: str
    key_url: str
    permission: str
    wrong_key_prefixes: tuple[str, ...] = field(default=())


class ProviderError(Exception):
    """A provider did not give what was asked for."""

    sentence: ClassVar[str] = "{name} did not answer as expected. Try again later."
    is_transient: ClassVar[bool] = False

    def __init__(
        self,
        upstream: Upstream,
        *,
        status: int | None = None,
        detail: str = "",
        retry_after_seconds: int | None = None,
    ) -> None:
        self.upstream = upstream
        self.provider = upstream.slug
        self.status = status
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.user_message = self._told()
        super().__init__(self.user_message)

    def _told(self) -> str:
        facts = self.upstream
        wait = f"in {self.retry_after_seconds} seconds" if self.retry_after_seconds else "in a few minutes"
        return self.sentence.format(
            name=facts.name,
            key_kind=facts.key_kind,
            key_url=facts.key_url,
            permission=facts.permission,
            wait=wait,
        )

    def __str__(self) -> str:
        status = f" {self.status}" if self.status else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{type(self).__name__} ({self.provider}{status}){detail}"

    __repr__ = __str__


class KeyProblem(ProviderError):
    """The key itself is the trouble: mark it refused and stop until the owner changes it."""


class KeyRefused(KeyProblem):
    """The key is wrong, expired or revoked."""

    sentence = (
        "{name} does not know this key: it is mistyped, expired or revoked. "
        "Make {key_kind} at {key_url} and paste it here."
    )


class KeyLacksScope(KeyProblem):
    """The key works but may not read what we ask for."""

    sentence = (
        "{name} accepts this key but does not let it read costs and usage. "
        "Make {key_kind} at {key_url} with {permission}."
    )


class WrongKeyKind(KeyProblem):
    """A key of another kind than the one needed."""

    sentence = (
        "This is not the kind of key {name} wants here: keys of a project or a service account cannot read "
        "an organization's costs. Make {key_kind} at {key_url} with {permission}."
    )


class BalanceRefused(WrongKeyKind):
    """The credit balance is shown to the provider's own website only."""

    sentence = (
        "{name} shows credit balances only on its own website, not to keys. Type the balance and its date by hand, "
        "or connect the organization with an admin key."
    )


class RateLimited(ProviderError):
    """Too many calls; `retry_after_seconds` is None when the provider did not say how long to wait."""

    sentence = "{name} is limiting how often this key may ask. The key is fine; try again {wait}."
    is_transient = True


class ProviderUnavailable(ProviderError):
    """The provider is down or cannot be reached."""

    sentence = "{name} cannot be reached or is having trouble. Nothing is wrong with the key; try again {wait}."
    is_transient = True


class ProviderTimeout(ProviderError):
    """The provider took too long."""

    sentence = "{name} took too long to answer. Nothing was changed; try again {wait}."
    is_transient = True


class BadAnswer(ProviderError):
    """The provider's answer cannot be read, or breaks a rule it must keep."""

    sentence = "{name} sent an answer that could not be read, so none of it was kept. Try again {wait}."
    is_transient = True


class AnswerTooLarge(BadAnswer):
    """The answer is larger than we accept."""

    sentence = "{name} sent more data at once than is accepted, so none of it was kept. Ask for a shorter period."
    is_transient = False


class RequestRefused(BadAnswer):
    """The provider calls our request wrong; asking the same again will not help."""

    sentence = "{name} refused the request itself. This is not the key's fault; please report it to the operator."
    is_transient = False


class NotAvailable(ProviderError):
    """The address asked for does not exist at this provider."""

    sentence = (
        "{name} does not offer this at the configured address. Check the base URL, or use another way to connect."
    )


def cleaned(text: str, *secrets: str) -> str:
    """A provider's own words as we may keep them: one printable line, no key, at most 300 characters."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[key]")
    line = " ".join(_UNPRINTABLE.sub(" ", text[: _DETAIL_LENGTH_MAX * 20]).split())
    line = _SECRET_SHAPES.sub("[key]", line)
    return line if len(line) <= _DETAIL_LENGTH_MAX else line[: _DETAIL_LENGTH_MAX - 1] + "…"
