"""What can go wrong, as named facts. One tree; the web turns each leaf into a page or a JSON answer (web/errors.py).

    TokenBoardError
    ├── ValidationFailed      422  the input's shape or syntax
    ├── Unauthenticated       401  nobody is signed in
    │   └── InvalidCredentials     e-mail and password do not match
    ├── Forbidden             403  a member without the right
    │   └── NotConfirmed           costly acts want to know again who sits there
    ├── NotFound              404  nothing there, or somebody else's: existence is not revealed
    ├── Conflict              409  the state of things refuses it
    ├── TooLarge              413  a body or list over its limit
    ├── RateLimited           429  too often; says when again
    ├── UpstreamFailed        502  a provider refused or broke
    ├── UpstreamTimedOut      504  a provider was too slow
    ├── Busy                  503  no place now; says when again
    └── NotConfigured         503  a setting is missing; names it

`message` is a sentence for a person and never carries a secret. `details` are extra JSON fields of the answer.
"""

from __future__ import annotations


class TokenBoardError(Exception):
    """The root: a message for a person, a slug for a program, a status for HTTP."""

    status: int = 500
    code: str = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class ValidationFailed(TokenBoardError):
    """The input cannot be read. `fields` maps a field's name to the reasons, each a sentence."""

    status = 422
    code = "validation_failed"

    def __init__(self, fields: dict[str, list[str]], message: str = "Some fields need another look.") -> None:
        super().__init__(message, fields=fields)
        self.fields = fields


class Unauthenticated(TokenBoardError):
    status = 401
    code = "unauthenticated"

    def __init__(self, message: str = "Sign in first.") -> None:
        super().__init__(message)


class InvalidCredentials(Unauthenticated):
    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("E-mail and password do not match.")


class Forbidden(TokenBoardError):
    status = 403
    code = "forbidden"

    def __init__(self, message: str = "Your role does not allow this.") -> None:
        super().__init__(message)


class NotConfirmed(Forbidden):
    """A page leads to /confirm and back (web/errors.py); a program is told the call that confirms."""

    code = "confirmation_required"

    def __init__(self) -> None:
        super().__init__("Please confirm first that it is you: POST /api/auth/confirm with your password or a code.")


class NotFound(TokenBoardError):
    status = 404
    code = "not_found"

    def __init__(self, message: str = "There is nothing here.") -> None:
        super().__init__(message)


class Conflict(TokenBoardError):
    status = 409
    code = "conflict"


class TooLarge(TokenBoardError):
    status = 413
    code = "too_large"


class RateLimited(TokenBoardError):
    status = 429
    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UpstreamFailed(TokenBoardError):
    status = 502
    code = "upstream_error"


class UpstreamTimedOut(TokenBoardError):
    status = 504
    code = "upstream_timeout"


class Busy(TokenBoardError):
    status = 503
    code = "busy"

    def __init__(self, message: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotConfigured(TokenBoardError):
    """A feature without its setting. `setting` names the environment variable to set."""

    status = 503
    code = "not_configured"

    def __init__(self, message: str, *, setting: str) -> None:
        super().__init__(message, setting=setting)
        self.setting = setting
