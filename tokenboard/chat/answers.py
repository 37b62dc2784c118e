"""How conversations, messages and the events of a stream look on the wire (api.md, Chat)."""

from __future__ import annotations

from typing import Any

from tokenboard.chat import rules
from tokenboard.chat.models import Conversation, Message, Role
from tokenboard.metering.facts import Settled
from tokenboard.wallet.answers import credits_number


def conversation_answer(one: Conversation) -> dict[str, Any]:
    """A conversation in a list."""
    return {
        "id": one.id,
        "userId": one.person_id,
        "workspaceId": one.workspace_id,
        "title": one.title,
        "model": one.model,
        "isPinned": one.is_pinned,
        "credits": credits_number(one.credits_micros),
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
    }


def message_answer(one: Message, content: str | None = None) -> dict[str, Any]:
    """A message; of an answer that is being written, `content` is what there is so far."""
    return {
        "id": one.id,
        "conversationId": one.conversation_id,
        "role": one.role,
        "content": one.content if content is None else content,
        "tokens": one.tokens,
        "promptTokens": one.prompt_tokens,
        "completionTokens": one.completion_tokens,
        "credits": credits_number(one.credits_micros),
        "model": one.model or None,
        "status": one.status,
        "errorCode": one.error_code or None,
        "createdAt": one.created_at,
    }


def export_answer(conversation: Conversation, messages: tuple[Message, ...]) -> dict[str, Any]:
    """Everything of a conversation, replaced messages included and marked."""
    told = [message_answer(one) | {"replacedAt": one.replaced_at} for one in messages]
    return {"conversation": conversation_answer(conversation), "messages": told}


def usage_event(conversation_id: str, settled: Settled) -> dict[str, Any]:
    """What an answer has cost."""
    return {
        "conversationId": conversation_id,
        "tokensUsed": settled.prompt_tokens + settled.completion_tokens,
        "promptTokens": settled.prompt_tokens,
        "completionTokens": settled.completion_tokens,
        "credits": credits_number(settled.credits_micros),
        "balanceAfter": credits_number(settled.balance_after_micros),
        "balanceAfterMicros": settled.balance_after_micros,
    }


def error_event(code: str, sentence: str, balance_micros: int | None) -> dict[str, Any]:
    """What went wrong; what was written before it is kept and charged."""
    balance = {} if balance_micros is None else {"balance": credits_number(balance_micros)}
    return {"error": sentence, "code": code} | balance


def markdown_export(conversation: Conversation, messages: tuple[Message, ...]) -> str:
    """A conversation as a Markdown file, without what was replaced."""
    parts = [f"# {conversation.title}\n"]
    for one in messages:
        if one.replaced_at is not None or not one.content:
            continue
        who = "You" if one.role == Role.USER else one.model
        parts.append(f"## {who}\n\n{one.content}\n")
        if one.error_code:
            parts.append(f"_{rules.ending_sentence(one.error_code)}_\n")
    return "\n".join(parts)
