"""How an answer's cost was computed, in finished texts, from metering's reckoning."""

from __future__ import annotations

from tokenboard.chat.access import OwnMessage
from tokenboard.core.errors import NotFound
from tokenboard.metering import receipt_queries
from tokenboard.metering.receipt_page import WrittenReceipt, written


def build(own: OwnMessage) -> WrittenReceipt:
    """Raises: NotFound while there is no record: the answer is still being written."""
    try:
        found = receipt_queries.receipt(workspace_id=own.conversation.workspace_id, call_id=own.message.id)
    except NotFound as error:
        raise NotFound("There is no receipt yet: the answer is still being written.") from error
    return written(found)
