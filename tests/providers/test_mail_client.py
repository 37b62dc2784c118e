"""Mail goes out as it was written; no text becomes a header; a password never travels in the clear."""

from __future__ import annotations

import pytest

from tests.notices.receivers import mail_receiver
from tokenboard.providers.mail_client import Mail, MailFailed, MailServer, composed

MAIL = Mail(
    name="0b6ae7e2-3f0e-4c6d-9a51-2f4f6f1f7a11",
    sender="TokenBoard <alerts@acme.dev>",
    recipient="alice@example.com",
    subject="Budget: 80 % used – Ümläute",
    text="Spent: $80\n",
    html="<p>Spent: $80</p>",
)


def test_a_message_arrives_whole_under_its_own_name():
    with mail_receiver() as receiver:
        MailServer.from_url(f"smtp://127.0.0.1:{receiver.port}").send(MAIL)

    (message,) = receiver.messages
    assert message["Subject"] == "Budget: 80 % used – Ümläute"
    assert message["To"] == "alice@example.com"
    assert message["From"] == "TokenBoard <alerts@acme.dev>"
    assert message["Message-ID"] == f"<{MAIL.name}@acme.dev>"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert plain.get_content().splitlines() == ["Spent: $80"]
    assert html is not None
    assert "<p>Spent: $80</p>" in html.get_content()


@pytest.mark.parametrize("attack", ["x\r\nBcc: eve@example.com", "x\nBcc: eve@example.com", "x\rBcc: eve@example.com"])
def test_a_line_break_never_becomes_a_header(attack: str):
    for mail in (
        Mail(MAIL.name, MAIL.sender, MAIL.recipient, attack, "t"),
        Mail(MAIL.name, MAIL.sender, f"{attack}@example.com", "s", "t"),
        Mail(MAIL.name, attack, MAIL.recipient, "s", "t"),
    ):
        with pytest.raises(MailFailed) as refused:
            composed(mail)
        assert refused.value.is_final


def test_two_recipients_in_one_address_are_refused():
    with pytest.raises(MailFailed):
        composed(Mail(MAIL.name, MAIL.sender, "alice@example.com, eve@example.com", "s", "t"))


@pytest.mark.parametrize(("refusal", "is_final"), [("550 no such mailbox", True), ("450 try later", False)])
def test_a_refused_recipient_is_final_only_when_the_server_says_so(refusal: str, is_final: bool):
    with mail_receiver() as receiver:
        receiver.refusal = refusal
        with pytest.raises(MailFailed) as refused:
            MailServer.from_url(f"smtp://127.0.0.1:{receiver.port}").send(MAIL)

    assert refused.value.is_final is is_final


def test_a_server_that_is_away_is_tried_again():
    with pytest.raises(MailFailed) as refused:
        MailServer.from_url("smtp://127.0.0.1:1").send(MAIL)

    assert not refused.value.is_final


def test_a_password_never_travels_without_tls(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tokenboard.providers.mail_client._LOOPBACK", ())  # as if the server stood elsewhere
    with mail_receiver() as receiver:
        with pytest.raises(MailFailed, match="no TLS"):
            MailServer.from_url(f"smtp://alice:hunter2@127.0.0.1:{receiver.port}").send(MAIL)

    assert not [command for command in receiver.commands if command.upper().startswith("AUTH")]


def test_an_address_of_a_server_is_read_in_full():
    server = MailServer.from_url("smtps://alice%40acme.dev:p%2Fw@mail.acme.dev")

    assert (server.host, server.port, server.is_tls) == ("mail.acme.dev", 465, True)
    assert (server.user, server.password) == ("alice@acme.dev", "p/w")
    assert MailServer.from_url("smtp://mail.acme.dev").port == 587
    assert "p/w" not in repr(server)
