"""What can go wrong with accounts.

TokenBoardError
├── Conflict
│   ├── EmailTaken        409  somebody is registered with this e-mail
│   ├── IdentityTaken     409  this identity at the provider opens another account
│   ├── AskForPassword    409  the e-mail is somebody's here, and the provider's word is not enough
│   └── LastWayIn         409  without it the person could not sign in any more
├── ValidationFailed
│   └── NoEmailTold       422  the provider told no e-mail
├── Forbidden
│   └── PasswordsClosed   403  people come in through the provider alone (OIDC_ONLY)
└── NotFound
    └── LinkUsed          404  a single-use link that was used, has expired or never was
"""

from __future__ import annotations

from tokenboard.core.errors import Conflict, Forbidden, NotFound, ValidationFailed


class EmailTaken(Conflict):
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is already an account with this e-mail. Sign in instead.")


class IdentityTaken(Conflict):
    def __init__(self) -> None:
        super().__init__("This sign-in belongs to another account here already.")


class AskForPassword(Conflict):
    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail. Sign in with its password once to connect the two.")


class LastWayIn(Conflict):
    def __init__(self) -> None:
        super().__init__("This is your only way to sign in. Set a password first, then disconnect it.")


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
