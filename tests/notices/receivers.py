"""Somebody to send to: an HTTP receiver and a mail server on loopback, each remembering what it was given."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebhookReceiver:
    """Answers every POST with `status`."""

    url: str = ""
    status: int = 204
    location: str = ""
    requests: list[Received] = field(default_factory=list)


@contextlib.contextmanager
def webhook_receiver() -> Iterator[WebhookReceiver]:
    """An HTTP server of a test's own."""
    kept = WebhookReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.requests.append(Received(self.path, headers, body))
            self.send_response(kept.status)
            if kept.location:
                self.send_header("Location", kept.location)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        kept.url = f"http://127.0.0.1:{port}/hook"
        yield kept


@dataclass
class MailReceiver:
    """Accepts mail, or refuses recipients with `refusal`."""

    port: int = 0
    refusal: str = ""
    messages: list[EmailMessage] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@contextlib.contextmanager
def mail_receiver() -> Iterator[MailReceiver]:
    """An SMTP server of a test's own, without TLS."""
    kept = MailReceiver()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline():
                command = line.decode().strip()
                kept.commands.append(command)
                if command.upper() == "DATA":
                    self._say("354 go on")
                    kept.messages.append(self._message())
                    self._say("250 taken")
                elif command.upper() == "QUIT":
                    self._say("221 bye")
                    return
                elif command.upper().startswith("RCPT") and kept.refusal:
                    self._say(kept.refusal)
                else:
                    self._say("250 fine")

        def _message(self) -> EmailMessage:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            found = message_from_bytes(b"".join(lines), policy=default)
            assert isinstance(found, EmailMessage)
            return found

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    with _serving(server) as port:
        kept.port = port
        yield kept


@contextlib.contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
