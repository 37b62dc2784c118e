"""The settings of chat, LiteLLM and Open WebUI: a part of `Settings`, declared here because the list has grown."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tokenboard.core import settings_fields as read
from tokenboard.core.settings_fields import setting


@dataclass(frozen=True)
class ChatSettings:
    """Where models are asked, with which key, and what using them costs."""

    litellm_base_url: str = setting(
        "LITELLM_BASE_URL",
        read.http_url,
        "The LiteLLM proxy. Unset: OPENAI_BASE_URL, else the sandbox outside production, else no chat.",
        group="Chat",
        default="",
        aliases=("LITELLM_ADMIN_URL",),
        example="http://litellm:4000",
    )
    litellm_master_key: str = setting(
        "LITELLM_MASTER_KEY",
        read.text,
        "LiteLLM's master key: makes virtual keys, reads spend; chats too unless there is a chat key.",
        group="Chat",
        default="",
        is_secret=True,
    )
    litellm_chat_key: str = setting(
        "LITELLM_CHAT_KEY",
        read.text,
        "A LiteLLM key that may only chat. Unset: the master key chats.",
        group="Chat",
        default="",
        is_secret=True,
    )
    litellm_webhook_secret: str = setting(
        "LITELLM_WEBHOOK_SECRET",
        read.text,
        "Bearer secret of LiteLLM's logging callback, at least 32 characters. Unset: the webhook answers 503.",
        group="Chat",
        default="",
        is_secret=True,
    )
    openai_base_url: str = setting(
        "OPENAI_BASE_URL",
        read.http_url,
        "Any OpenAI-compatible API, where there is no LiteLLM. Unset: https://api.openai.com/v1 with OPENAI_API_KEY.",
        group="Chat",
        default="",
        example="https://api.openai.com/v1",
    )
    openai_api_key: str = setting(
        "OPENAI_API_KEY",
        read.text,
        "The key of OPENAI_BASE_URL; a server of your own may need none.",
        group="Chat",
        default="",
        is_secret=True,
    )
    credit_markup: Decimal = setting(
        "CREDIT_MARKUP",
        read.positive_decimal,
        "What the provider's price is multiplied by; frozen on each call and shown on its receipt.",
        group="Chat",
        default=Decimal(1),
        example="1.2",
    )
    openwebui_url: str = setting(
        "OPENWEBUI_URL",
        read.http_url,
        "An Open WebUI whose people spend credits here. Unset: no link to it.",
        group="Chat",
        default="",
        example="https://chat.example.com",
    )
    openwebui_jwt_secret: str = setting(
        "OPENWEBUI_JWT_SECRET",
        read.text,
        "Signs who is asking on Open WebUI's calls of /v1, at least 32 characters. Unset: such calls are refused.",
        group="Chat",
        default="",
        is_secret=True,
    )
    max_streams_per_person: int = setting(
        "MAX_STREAMS_PER_PERSON",
        read.integer(1, 1_000),
        "Answers that may run for one person at the same time, in chat and through /v1 together.",
        group="Chat",
        default=10,
    )
    messages_per_minute: int = setting(
        "MESSAGES_PER_MINUTE",
        read.integer(1, 10_000),
        "Chat messages that one person may send in a minute.",
        group="Chat",
        default=30,
    )
    max_streams_per_process: int = setting(
        "MAX_STREAMS_PER_PROCESS",
        read.integer(0, 10_000),
        "Answers one web process writes at once; more are refused with 503. 0: 400 with PostgreSQL, 48 with SQLite.",
        group="Chat",
        default=0,
    )
