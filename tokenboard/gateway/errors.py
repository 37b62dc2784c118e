"""Refusals of `/v1` in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

    RequestUnusable  400  the body is not what this door takes
    NoAccount        403  whom Open WebUI names has no account here
    AccountDisabled  403  and that account may not be used
    KeyRateReached   429  as many requests or tokens a minute as the key allows

Everything the rooms below refuse passes through and is dressed here, with the same status and code.
Source: platform.openai.com/docs/guides/error-codes, read 2026-11-20.
"""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException

from tokenboard.core.errors import Busy, Forbidden, RateLimited, TokenBoardError
from tokenboard.core.settings import settings
from tokenboard.metering.stream_events import ChatFailure
from tokenboard.providers.chat_errors import ChatError

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "invalid_request_error",
    409: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
_PARAMS = {"model_not_found": "model", "model_not_allowed": "model", "context_too_long": "messages"}


class RequestUnusable(TokenBoardError):
    status = 400
    code = "invalid_request"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class NoAccount(Forbidden):
    code = "no_account"

    def __init__(self, email: str) -> None:
        super().__init__(f"There is no account for {email} here yet. Create one with this address, then ask again.")


class AccountDisabled(Forbidden):
    code = "account_disabled"

    def __init__(self) -> None:
        super().__init__("Your account here is disabled. Ask an administrator.")


class KeyRateReached(RateLimited):
    """`what` is counted by the minute: request or token."""

    def __init__(self, most: int, what: str, *, retry_after_seconds: int) -> None:
        allowed = f"{most:,} {what}{'' if most == 1 else 's'} a minute"
        super().__init__(
            f"This key may use {allowed}. Try again in {retry_after_seconds} seconds.",
            retry_after_seconds=retry_after_seconds,
        )


def body_of(message: str, *, status: int, code: str, param: str | None = None, **more: Any) -> dict[str, Any]:
    """The error as clients of OpenAI read it. `more` stands beside what they know."""
    known = {"message": message, "type": _TYPES.get(status, "api_error"), "param": param or _PARAMS.get(code)}
    return {"error": known | {"code": code} | more}


def answer_for(error: TokenBoardError) -> Response:
    """A refusal before anything was asked."""
    status = 400 if error.status == 422 else error.status
    more = dict(error.details)
    if error.status == 402:
        more["topUpUrl"] = f"{settings().base_url}/credits"
    param = error.param if isinstance(error, RequestUnusable) else None
    answer = jsonify(body_of(error.message, status=status, code=error.code, param=param, **more))
    answer.status_code = status
    if isinstance(error, (RateLimited, Busy)):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def answer_for_http(error: HTTPException) -> Response:
    """What Flask itself refuses: no such address, a body too large."""
    status = error.code or 500
    answer = jsonify(body_of(error.description or "This request cannot be read.", status=status, code="http_error"))
    answer.status_code = status
    return answer


def failure_body(failure: ChatFailure) -> dict[str, Any]:
    """An answer that broke off."""
    return body_of(failure.message, status=failure.status, code=failure.code)


def answer_for_upstream(error: ChatError) -> Response:
    """The provider's no, in our words."""
    answer = jsonify(body_of(error.user_message, status=error.status, code=error.code))
    answer.status_code = error.status
    if error.retry_after_seconds:
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer
