"""The settings of what goes out: how mail is sent, and where a workspace's webhooks may go."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.core import settings_fields as read
from tokenboard.core.settings_fields import setting


@dataclass(frozen=True)
class NoticeSettings:
    """Mail, and bounds of the operator's for addresses that members choose."""

    smtp_url: str = setting(
        "SMTP_URL",
        read.smtp_url,
        "Sends e-mail. Unset: messages are logged and shown in the development outbox.",
        group="Mail",
        default="",
        is_secret=True,
        example="smtp://user:password@smtp.example.com:587",
    )
    mail_from: str = setting(
        "MAIL_FROM",
        read.text,
        "Sender of e-mails.",
        group="Mail",
        default="TokenBoard <tokenboard@localhost>",
    )
    webhook_hosts: tuple[str, ...] = setting(
        "WEBHOOK_HOSTS",
        read.hosts,
        "Hosts that webhooks may go to, comma-separated; `*.` in front: every name below. Unset: any public one.",
        group="Webhooks",
        default=(),
        example="hooks.slack.com,*.example.com",
    )
