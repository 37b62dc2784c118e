"""What can go wrong with workspaces.

TokenBoardError
├── NotFound
│   └── InvitationGone     404  accepted, withdrawn, expired, or never was
├── Forbidden
│   └── AnotherInvited     403  the link was sent to another e-mail
└── Conflict
    ├── BelongsAlready     409  the invited person is a member
    ├── MadeUp             409  a demo's credits pay for nothing real
    └── TooMany            409  a limit on workspaces or members
"""

from __future__ import annotations

from tokenboard.core.errors import Conflict, Forbidden, NotFound


class InvitationGone(NotFound):
    def __init__(self) -> None:
        super().__init__("This invitation has been used, withdrawn or has expired. Ask for a new one.")


class AnotherInvited(Forbidden):
    def __init__(self) -> None:
        super().__init__("This invitation was sent to another e-mail. Sign in with the address that received it.")


class BelongsAlready(Conflict):
    code = "already_a_member"

    def __init__(self) -> None:
        super().__init__("This person belongs to the workspace already.")


class MadeUp(Conflict):
    code = "demo_workspace"

    def __init__(self) -> None:
        super().__init__("This is the demo: its credits are made up and pay for nothing. Use a workspace of your own.")


class TooMany(Conflict):
    code = "limit_reached"
