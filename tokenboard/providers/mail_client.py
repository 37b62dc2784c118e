"""Hands one e-mail to the SMTP server of the settings.

Laws: TLS is used wherever the server offers it, and a password never travels without; every answer has a time-out;
headers are built by `email.message`, which refuses line breaks, so that no text becomes a header.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from tokenboard.core import clock

ANSWER_SECONDS = 10
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class MailFailed(Exception):
    """The message is not out. `is_final`: trying again cannot help."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person. `name` becomes its Message-ID: the same message has the same one every time."""

    name: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class MailServer:
    """An SMTP server: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`."""

    host: str
    port: int
    is_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        parts = urlsplit(url)
        is_tls = parts.scheme == "smtps"
        port = parts.port or (465 if is_tls else 587)
        return cls(parts.hostname or "", port, is_tls, unquote(parts.username or ""), unquote(parts.password or ""))

    def send(self, mail: Mail) -> None:
        """Raises: MailFailed."""
        message = composed(mail)
        try:
            with self._session(_domain(mail.sender)) as session:
                session.send_message(message, parseaddr(mail.sender)[1], [mail.recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=0)
            raise MailFailed(f"the mail server refuses this recipient ({code})", is_final=code >= 550) from error
        except smtplib.SMTPResponseException as error:
            raise MailFailed(f"the mail server answered {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise MailFailed(f"the mail server cannot be used ({type(error).__name__})") from error

    @contextlib.contextmanager
    def _session(self, own_name: str) -> Iterator[smtplib.SMTP]:
        with self._connected(own_name) as session:
            if not self.is_tls:
                session.ehlo()
                self._start_tls(session)
            if self.user:
                session.login(self.user, self.password)
            yield session

    def _connected(self, own_name: str) -> smtplib.SMTP:
        if self.is_tls:
            trusted = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, own_name, timeout=ANSWER_SECONDS, context=trusted)
        return smtplib.SMTP(self.host, self.port, own_name, timeout=ANSWER_SECONDS)

    def _start_tls(self, session: smtplib.SMTP) -> None:
        if session.has_extn("starttls"):
            session.starttls(context=ssl.create_default_context())
            session.ehlo()
        elif self.user and self.host not in _LOOPBACK:
            raise MailFailed("the mail server offers no TLS, and the password must not travel without")


def composed(mail: Mail) -> EmailMessage:
    """The message as it is sent. Raises: MailFailed for text that cannot stand in a header."""
    message = EmailMessage()
    try:
        message["From"] = mail.sender
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{mail.name}@{_domain(mail.sender)}>"
        message["Auto-Submitted"] = "auto-generated"
    except (ValueError, IndexError) as error:  # a line break, or an address that is none
        raise MailFailed("this message cannot be addressed", is_final=True) from error
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"
