"""What can go wrong with accounts.

TokenBoardError
├── Conflict
│   ├── EmailTaken        409  somebody is registered with this e-mail
│   ├── IdentityTaken     409  this identity at the provider opens another account
│   ├── FactorThere       409  two-step sign-in is on already
│   ├── FactorMissing     409  it is not on, or was not begun
│   ├── TooManyTokens     409  a limit on API tokens
│   ├── AskForPassword    409  the e-mail is somebody's here, and the provider's word is not enough
│   ├── NotOnYourself     409  an administrator does not decide about themselves
│   └── LastWayIn         409  without it the person could not sign in any more
├── ValidationFailed
│   └── NoEmailTold       422  the provider told no e-mail
├── Unauthenticated
│   └── CodeNeeded        401  the password is right; a code must come with it
├── Forbidden
│   ├── FactorNeeded      403  administrators need a second factor (REQUIRE_ADMIN_MFA)
│   ├── NotForTokens      403  an API token proves no presence
│   ├── OnlyViewing       403  an administrator views as somebody else: nothing is written
│   ├── NotToBeViewed     403  administrators are not viewed as
│   └── PasswordsClosed   403  people come in through the provider alone (OIDC_ONLY)
└── NotFound
    └── LinkUsed          404  a single-use link that was used, has expired or never was
"""

from __future__ import annotations

from tokenboard.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, ValidationFailed


class EmailTaken(Conflict):
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is already an account with this e-mail. Sign in instead.")


class IdentityTaken(Conflict):
    def __init__(self) -> None:
        super().__init__("This sign-in belongs to another account here already.")


class FactorThere(Conflict):
    def __init__(self) -> None:
        super().__init__("Two-step sign-in is on already.")


class FactorMissing(Conflict):
    def __init__(self) -> None:
        super().__init__("Begin with turning two-step sign-in on.")


class TooManyTokens(Conflict):
    code = "limit_reached"


class CodeNeeded(Unauthenticated):
    code = "second_factor_required"

    def __init__(self) -> None:
        super().__init__("Send a code of your authenticator app, or a recovery code, along as `code`.")


class FactorNeeded(Forbidden):
    code = "second_factor_required"

    def __init__(self) -> None:
        super().__init__("Administrators need two-step sign-in here. Turn it on under Settings, Security.")


class NotForTokens(Forbidden):
    def __init__(self) -> None:
        super().__init__("A personal API token cannot do this. Sign in for it.")


class AskForPassword(Conflict):
    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail. Sign in with its password once to connect the two.")


class LastWayIn(Conflict):
    def __init__(self) -> None:
        super().__init__("This is your only way to sign in. Set a password first, then disconnect it.")


class NotOnYourself(Conflict):
    def __init__(self) -> None:
        super().__init__("Another administrator has to do this to your account.")


class OnlyViewing(Forbidden):
    code = "read_only_view"

    def __init__(self, message: str = "You are only viewing: nothing can be changed here until you end it.") -> None:
        super().__init__(message)


class NotToBeViewed(Forbidden):
    def __init__(self) -> None:
        super().__init__("Administrators, and accounts that are gone, cannot be looked at through their own eyes.")


class NoEmailTold(ValidationFailed):
    def __init__(self) -> None:
        sentence = "The provider told no e-mail address, and an account needs one."
        super().__init__({"email": [sentence]}, sentence)


class PasswordsClosed(Forbidden):
    code = "oidc_only"

    def __init__(self, name: str) -> None:
        super().__init__(f"People come in here through {name} only.")


class LinkUsed(NotFound):
    def __init__(self) -> None:
        super().__init__("This link has been used or has expired. Ask for a new one.")
