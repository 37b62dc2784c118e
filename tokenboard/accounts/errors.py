"""What can go wrong with accounts.

TokenBoardError
├── Conflict
│   └── EmailTaken        409  somebody is registered with this e-mail
└── NotFound
    └── LinkUsed          404  a single-use link that was used, has expired or never was
"""

from __future__ import annotations

from tokenboard.core.errors import Conflict, NotFound


class EmailTaken(Conflict):
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is already an account with this e-mail. Sign in instead.")


class LinkUsed(NotFound):
    def __init__(self) -> None:
        super().__init__("This link has been used or has expired. Ask for a new one.")
