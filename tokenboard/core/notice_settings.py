"""The settings of what goes out: where a workspace's webhooks may go."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.core import settings_fields as read
from tokenboard.core.settings_fields import setting


@dataclass(frozen=True)
class NoticeSettings:
    """Bounds of the operator's for addresses that members choose."""

    webhook_hosts: tuple[str, ...] = setting(
        "WEBHOOK_HOSTS",
        read.hosts,
        "Hosts that webhooks may go to, comma-separated; `*.` in front: every name below. Unset: any public one.",
        group="Webhooks",
        default=(),
        example="hooks.slack.com,*.example.com",
    )
