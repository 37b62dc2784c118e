"""What the chat refuses beyond metering's own refusals.

TokenBoardError
└── Conflict
    ├── AnswerRunning   409  an answer is still being written in this conversation
    ├── NotAnswerable   409  only a person's message can be edited, only an answer asked again
    └── AskedAtOnce     409  another request won a race; the door asks once more before anybody sees this
"""

from __future__ import annotations

from tokenboard.core.errors import Conflict


class AnswerRunning(Conflict):
    code = "answer_running"

    def __init__(self) -> None:
        super().__init__("An answer is still being written in this conversation. Wait for it, or stop it.")


class NotAnswerable(Conflict):
    code = "not_answerable"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class AskedAtOnce(Conflict):
    code = "asked_at_once"

    def __init__(self) -> None:
        super().__init__("This was asked twice at the same moment. Send it again.")
