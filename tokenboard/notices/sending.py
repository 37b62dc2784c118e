"""One message goes out, by mail or as a signed webhook. No row is touched here and no transaction is open.

The addresses are checked again at every attempt: a name may have moved into our network since it was typed.
"""

from __future__ import annotations

import logging

from tokenboard.core.clock import now
from tokenboard.core.crypto import CannotUnseal
from tokenboard.core.settings import settings
from tokenboard.notices.addresses import AddressRefused, destination
from tokenboard.notices.models import Notice
from tokenboard.notices.service import filled, secret_of
from tokenboard.notices.signatures import signed_headers
from tokenboard.providers import webhook_client
from tokenboard.providers.mail_client import Mail, MailFailed, MailServer
from tokenboard.providers.webhook_client import WebhookUnreachable

log = logging.getLogger(__name__)

_GONE = 410  # Standard Webhooks: the receiver wants no more


class Undelivered(Exception):
    """The message is not out. `is_final`: trying again cannot help."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


def deliver(notice: Notice) -> None:
    """Raises: Undelivered."""
    if notice.channel == "email":
        _deliver_mail(notice)
    else:
        _deliver_webhook(notice)


def _deliver_mail(notice: Notice) -> None:
    if not settings().smtp_url:
        _leave_in_outbox(notice)
        return
    try:
        text, html = filled(notice, notice.body), filled(notice, notice.body_html)
        mail = Mail(notice.id, settings().mail_from, notice.address, notice.subject, text, html)
        MailServer.from_url(settings().smtp_url).send(mail)
    except CannotUnseal as error:
        raise Undelivered("its link cannot be read", is_final=True) from error
    except MailFailed as error:
        raise Undelivered(str(error), is_final=error.is_final) from error


def _leave_in_outbox(notice: Notice) -> None:
    """Without a mail server: in development the row is the mailbox (/dev/outbox), in production it is a fault."""
    if settings().is_production:
        raise Undelivered("SMTP_URL is not set, so no e-mail can be sent", is_final=True)
    log.info("mail_in_outbox", extra={"notice_id": notice.id, "to": notice.address, "subject": notice.subject})


def _deliver_webhook(notice: Notice) -> None:
    body = notice.body.encode()
    try:
        where = destination(notice.address, is_production=settings().is_production, hosts=settings().webhook_hosts)
        headers = signed_headers(notice.id, int(now().timestamp()), body, secret_of(notice))
        status = webhook_client.post(where, body, headers)
    except AddressRefused as error:
        raise Undelivered(str(error)) from error
    except (CannotUnseal, ValueError) as error:
        raise Undelivered("the signing secret cannot be used", is_final=True) from error
    except WebhookUnreachable as error:
        raise Undelivered(str(error)) from error
    if not 200 <= status <= 299:
        raise Undelivered(f"the receiver answered {status}", is_final=status == _GONE)
