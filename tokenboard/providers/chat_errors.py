"""What can go wrong at the chat upstream, as named facts.

    ChatError
    ├── ChatRefused            the upstream understood and said no; asking the same again is pointless
    │   ├── KeyRefused         this site's key is wrong, blocked or expired
    │   ├── ModelNotFound      no such model, or not for this key
    │   ├── ContextTooLong     more than the model reads at once
    │   ├── ContentRefused     against the provider's rules
    │   ├── RequestTooLarge    413
    │   └── BudgetExceeded     a budget at LiteLLM or a quota at the provider is used up
    ├── ChatRateLimited        too many calls; says when again where the upstream did
    ├── ChatUnavailable        5xx, refused connection, no such host, LiteLLM without its database
    ├── ChatTimedOut           no first byte, silence in mid-answer, or no end
    └── ChatBadAnswer          an answer that cannot be read or trusted
        ├── StreamCut          it broke off in mid-answer
        └── AnswerTooLong      more than was asked for, or than is accepted

Laws: `user_message` is whole sentences for a person, without a key, an address or the upstream's own words; those,
cleaned and shortened, are `detail`, for the log. `is_before_stream` tells whether nothing of the answer had been given
out: then the caller may still answer with `status`. What a broken answer costs is metering's decision, so no sentence
here promises anything about it.
"""

from __future__ import annotations

from typing import ClassVar


class ChatError(Exception):
    """The upstream gave no answer, or not the whole of it."""

    code: ClassVar[str] = "upstream_error"  # the slug of our answer, as in the HTTP contract
    status: ClassVar[int] = 502  # of our answer, when none has begun
    is_transient: ClassVar[bool] = False  # the same request may work in a minute
    sentence: ClassVar[str] = "The model's provider did not answer as expected. Try again in a minute."

    def __init__(
        self,
        detail: str = "",
        *,
        upstream_status: int | None = None,
        retry_after_seconds: int | None = None,
        is_before_stream: bool = True,
    ) -> None:
        self.detail = detail
        self.upstream_status = upstream_status
        self.retry_after_seconds = retry_after_seconds
        self.is_before_stream = is_before_stream
        super().__init__(self.user_message)

    @property
    def user_message(self) -> str:
        """What a person reads."""
        wait = self.retry_after_seconds
        told = self.sentence.format(wait=f"in {wait} seconds" if wait else "in a minute")
        return told if self.is_before_stream else f"{told} What had arrived is kept."

    def in_mid_stream(self) -> ChatError:
        """The same fact, once a part of the answer has been given out."""
        self.is_before_stream = False
        return self

    def __str__(self) -> str:
        status = f" {self.upstream_status}" if self.upstream_status else ""
        return f"{type(self).__name__}{status}: {self.detail}"

    __repr__ = __str__


class ChatRefused(ChatError):
    """The upstream calls our request wrong."""

    sentence = "The model's provider refused the request. Change it, or choose another model."


class KeyRefused(ChatRefused):
    """The key this site asks with does not work: its operator must act."""

    code = "key_refused"
    sentence = "The model's provider refused this site's key. The site's operator has to renew it."


class ModelNotFound(ChatRefused):
    """The upstream has no such model, or this key may not use it."""

    code = "model_not_found"
    status = 404
    sentence = "This model is not available. Choose another one."


class ContextTooLong(ChatRefused):
    """More text than the model reads at once."""

    code = "context_too_long"
    status = 422
    sentence = "This is more text than the model reads at once. Shorten it, or start a new conversation."


class ContentRefused(ChatRefused):
    """The provider's rules forbid it."""

    code = "content_refused"
    status = 422
    sentence = "The model's provider refused this text because of its content rules. Word it differently."


class RequestTooLarge(ChatRefused):
    """Too many bytes for the upstream."""

    code = "too_large"
    status = 413
    sentence = "This request is larger than the model's provider accepts. Shorten it."


class BudgetExceeded(ChatRefused):
    """A budget at LiteLLM, or the operator's own quota at the provider: not the person's credits."""

    code = "budget_exceeded"
    status = 503
    sentence = (
        "The budget this site has at the model's provider is used up. Your credits are not; "
        "the site's operator has to raise the budget."
    )


class ChatRateLimited(ChatError):
    """Too many calls, or every deployment is cooling down."""

    code = "rate_limited"
    status = 429
    is_transient = True
    sentence = "The model's provider is busy and asks to wait. Try again {wait}."


class ChatUnavailable(ChatError):
    """The upstream is down, cannot be reached, or lost its database."""

    is_transient = True
    sentence = "The model's provider cannot be reached or is having trouble. Try again {wait}."


class ChatTimedOut(ChatError):
    """The upstream took too long: to begin, to go on, or to end."""

    code = "upstream_timeout"
    status = 504
    is_transient = True
    sentence = "The model's provider took too long. Try again {wait}."


class ChatBadAnswer(ChatError):
    """The answer cannot be read, or is none."""

    sentence = "The model's provider sent something that is no answer. Try again {wait}, or choose another model."


class StreamCut(ChatBadAnswer):
    """The answer broke off."""

    is_transient = True
    sentence = "The answer broke off at the model's provider. Try again {wait}."


class AnswerTooLong(ChatBadAnswer):
    """The upstream did not stop where it was told to, or sent more than is accepted."""

    sentence = "The model's provider did not stop where it was told to, so the answer was ended here."
