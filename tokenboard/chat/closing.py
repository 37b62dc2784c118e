"""The end of an answer: metering's settlement and the message's last state are one transaction, whoever settles.

Metering knows no messages. It rings `call_settled` inside every settling transaction: the process that wrote the
answer, the sweeper that found its lease over and a deploy's drain all pass here, and the text is taken from what was
recorded, so that it is what was charged. Should closing fail, the settlement stands without it, and `chat.sweep` closes
the message from the usage record.
"""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.chat import queries
from tokenboard.chat.models import Message, Status
from tokenboard.core.db import db
from tokenboard.metering import signals, text_service
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.usage_models import UsageRecord

_STATUS = {
    "ok": Status.DONE,
    "stopped": Status.STOPPED,
    "length": Status.LENGTH,
    "interrupted": Status.INTERRUPTED,
    "failed": Status.FAILED,
    "refused": Status.FAILED,
}


def connect() -> None:
    """Listen for settled calls of messages; once a process."""
    signals.connect(_on_settled, concerns=_is_of_message)


def _is_of_message(fact: UsageFact) -> bool:
    return fact.conversation_id is not None and fact.message_id is not None


def _on_settled(_call_id: str, *, fact: UsageFact) -> None:
    close(fact=fact)


def close(*, fact: UsageFact | UsageRecord) -> bool:
    """Give a message its text, state and cost. Idempotent: whether it was still open."""
    if fact.conversation_id is None or fact.message_id is None:
        return False
    conversation = queries.lock_conversation(fact.conversation_id)
    message = db.session.get(Message, fact.message_id, populate_existing=True)
    if conversation is None or message is None or message.status != Status.STREAMING:
        return False
    _fill(message, fact, text_service.take_text(call_id=message.id))
    if conversation.deleted_at is not None:
        message.content = ""
        text_service.erase_text(call_ids=[message.id])
    conversation.credits_micros += fact.credits_micros
    db.session.flush()
    return True


def _fill(message: Message, fact: UsageFact | UsageRecord, text: str) -> None:
    message.content, message.status = text, _STATUS[fact.status]
    message.prompt_tokens, message.cached_tokens = fact.prompt_tokens, fact.cached_tokens
    message.completion_tokens = fact.completion_tokens
    message.tokens = fact.prompt_tokens + fact.completion_tokens
    message.credits_micros = fact.credits_micros
    message.balance_after_micros = fact.balance_after_micros
    message.error_code = fact.error_code
    message.latency_ms, message.first_token_ms = fact.latency_ms, fact.first_token_ms


def close_forgotten(*, limit: int) -> int:
    """Messages whose call is settled and who never heard of it. How many there were."""
    forgotten = (
        select(Message.id)
        .join(MeteredCall, MeteredCall.id == Message.id)
        .where(Message.status == Status.STREAMING, MeteredCall.state == "settled")
        .limit(limit)
    )
    keys = [f"call:{message_id}" for message_id in db.session.scalars(forgotten)]
    records = db.session.scalars(select(UsageRecord).where(UsageRecord.dedupe_key.in_(keys))).all() if keys else []
    return sum(close(fact=record) for record in records)
