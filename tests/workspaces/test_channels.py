"""Settings, Notifications: where alerts go, who may change it, and what it costs to try."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.notices.receivers import webhook_receiver
from tests.people import Browser, People
from tokenboard.audit.models import AuditEntry
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.notices.models import Notice
from tokenboard.workspaces import channels
from tokenboard.workspaces.models import AlertChannel

PAGE = "/settings/notifications"


@dataclass(frozen=True, slots=True)
class Tab:
    """A browser's tab that shows the team's page: its forms name the team."""

    browser: Browser
    team_id: str

    def get(self, path: str) -> TestResponse:
        return self.browser.get(path)

    def fragment(self, path: str, target: str) -> TestResponse:
        return self.browser.fragment(path, target)

    def post(self, path: str, form: dict[str, str]) -> TestResponse:
        return self.browser.post(path, {"workspace_id": self.team_id} | form)


def _in_team(browser, people: People, someone) -> Tab:
    """A browser that has chosen the team's workspace."""
    client = browser(someone)
    with client.client.session_transaction() as session:
        session["workspace_id"] = people.team_id
    return Tab(client, people.team_id)


def _kept(people: People) -> list[AlertChannel]:
    with people.app.app_context():
        return channels.channels(people.team_id)


def _notices(people: People) -> list[Notice]:
    with people.app.app_context():
        return list(db.session.scalars(select(Notice).where(Notice.workspace_id == people.team_id)))


def _form_key(html: str) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', html)
    assert found is not None
    return found.group(1)


def test_an_owner_adds_an_address_and_sees_it(people: People, browser):
    alice = _in_team(browser, people, people.alice)

    answer = alice.post(PAGE, {"kind": "email", "address": " Billing@Example.com "})

    assert (answer.status_code, answer.location) == (303, PAGE)
    assert [channel.address for channel in _kept(people)] == ["billing@example.com"]
    assert "billing@example.com" in alice.get(PAGE).text
    with people.app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "workspaces.channel_added")).one()
    assert entry.workspace_id == people.team_id
    assert entry.actor == people.alice.id


def test_a_webhooks_secret_is_shown_once_and_kept_sealed(people: People, browser):
    alice = _in_team(browser, people, people.alice)

    answer = alice.post(PAGE, {"kind": "webhook", "address": "http://127.0.0.1:9/hook"})
    (secret,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", answer.text))

    assert answer.status_code == 201
    (channel,) = _kept(people)
    assert secret not in channel.sealed_secret
    assert "whsec_" not in alice.get(PAGE).text
    with people.app.app_context():
        assert channels.signing_secret(channel) == secret


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"kind": "email", "address": "nonsense"}, "This is not an e-mail address."),
        ({"kind": "email", "address": ""}, "Please fill this in."),
        ({"kind": "webhook", "address": "https://169.254.169.254/"}, "private network"),
        ({"kind": "webhook", "address": "file:///etc/passwd"}, "Write an address like"),
        ({"kind": "pigeon", "address": "a@example.com"}, ""),
    ],
)
def test_what_cannot_be_sent_to_is_refused_at_the_field(people: People, browser, form: dict[str, str], sentence: str):
    answer = _in_team(browser, people, people.alice).post(PAGE, form)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert _kept(people) == []


def test_the_same_address_is_kept_once(people: People, browser):
    alice = _in_team(browser, people, people.alice)
    form = {"kind": "email", "address": "billing@example.com"}
    alice.post(PAGE, form)

    again = alice.post(PAGE, form)

    assert again.status_code == 409
    assert "already go to this address" in again.text
    assert len(_kept(people)) == 1


def test_a_workspace_has_so_many_channels_and_no_more(people: People, browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(channels, "MOST_CHANNELS", 2)
    alice = _in_team(browser, people, people.alice)

    answers = [alice.post(PAGE, {"kind": "email", "address": f"a{n}@example.com"}).status_code for n in range(3)]

    assert answers == [303, 303, 409]


def test_a_test_message_is_sent_and_its_fate_shown(people: People, browser, run_jobs: Callable[[], int]):
    alice = _in_team(browser, people, people.alice)
    with webhook_receiver() as receiver:
        page = alice.post(PAGE, {"kind": "webhook", "address": receiver.url}).text
        (channel,) = _kept(people)

        answer = alice.post(f"{PAGE}/{channel.id}/test", {"form_key": _form_key(page)})
        run_jobs()

    assert answer.status_code == 303
    assert len(receiver.requests) == 1
    assert receiver.requests[0].headers["webhook-signature"].startswith("v1,")
    shown = alice.get(PAGE).text
    assert re.search(r"sent</span>\s*<time", shown) is not None


def test_a_form_sent_twice_sends_one_test(people: People, browser):
    alice = _in_team(browser, people, people.alice)
    alice.post(PAGE, {"kind": "email", "address": "billing@example.com"})
    (channel,) = _kept(people)
    form = {"form_key": _form_key(alice.get(PAGE).text)}

    for _ in range(2):
        alice.post(f"{PAGE}/{channel.id}/test", form)

    assert len(_notices(people)) == 1


def test_a_test_without_the_forms_key_is_refused(people: People, browser):
    alice = _in_team(browser, people, people.alice)
    alice.post(PAGE, {"kind": "email", "address": "billing@example.com"})
    (channel,) = _kept(people)

    assert alice.post(f"{PAGE}/{channel.id}/test", {"form_key": "x"}).status_code == 422
    assert _notices(people) == []


def test_a_removed_channel_is_gone(people: People, browser):
    alice = _in_team(browser, people, people.alice)
    alice.post(PAGE, {"kind": "email", "address": "billing@example.com"})
    (channel,) = _kept(people)

    assert alice.post(f"{PAGE}/{channel.id}/remove", {}).status_code == 303
    assert _kept(people) == []
    assert alice.post(f"{PAGE}/{channel.id}/remove", {}).status_code == 404


@pytest.mark.parametrize("name", ["bob", "vera"])
def test_members_see_channels_but_change_nothing(people: People, browser, name: str):
    _in_team(browser, people, people.alice).post(PAGE, {"kind": "email", "address": "billing@example.com"})
    (channel,) = _kept(people)
    member = _in_team(browser, people, getattr(people, name))

    page = member.get(PAGE)

    assert page.status_code == 200
    assert "billing@example.com" in page.text
    assert 'action="/settings/notifications"' not in page.text
    assert f'action="{PAGE}/{channel.id}' not in page.text
    assert member.post(PAGE, {"kind": "email", "address": "eve@example.com"}).status_code == 403
    assert member.post(f"{PAGE}/{channel.id}/test", {"form_key": channel.id}).status_code == 403
    assert member.post(f"{PAGE}/{channel.id}/remove", {}).status_code == 403
    assert len(_kept(people)) == 1


def test_a_stranger_reaches_no_other_workspaces_channel(people: People, browser):
    _in_team(browser, people, people.alice).post(PAGE, {"kind": "email", "address": "billing@example.com"})
    (channel,) = _kept(people)
    charlie = _in_team(browser, people, people.charlie)

    assert "billing@example.com" not in charlie.get(PAGE).text
    assert charlie.post(f"{PAGE}/{channel.id}/test", {"form_key": channel.id}).status_code == 404
    assert charlie.post(f"{PAGE}/{channel.id}/remove", {}).status_code == 404
    assert len(_kept(people)) == 1


def test_a_form_acts_on_the_workspace_it_shows_and_not_on_the_one_another_tab_has_chosen(people: People, browser):
    alice = _in_team(browser, people, people.alice)
    shown = alice.get(PAGE).text
    alice.browser.post("/workspaces/switch", {"workspace_id": people.alice.workspace_id})

    assert f'name="workspace_id" value="{people.team_id}"' in shown
    alice.post(PAGE, {"kind": "email", "address": "billing@example.com"})
    (channel,) = _kept(people)
    form_key = {"form_key": channel.id}
    assert alice.post(f"{PAGE}/{channel.id}/test", form_key).status_code == 303
    assert alice.post(f"{PAGE}/{channel.id}/remove", {}).status_code == 303
    assert _kept(people) == []


def test_a_refused_form_still_shows_its_own_workspace(people: People, browser):
    alice = _in_team(browser, people, people.alice)
    alice.browser.post("/workspaces/switch", {"workspace_id": people.alice.workspace_id})

    answer = alice.post(PAGE, {"kind": "email", "address": "nonsense"})

    assert answer.status_code == 422
    assert 'value="nonsense"' in answer.text
    assert f'name="workspace_id" value="{people.team_id}"' in answer.text


def test_a_webhooks_whole_address_is_seen_by_those_who_may_change_it_only(people: People, browser):
    address = "http://127.0.0.1:9/services/T0/a-secret-part?token=another"
    alice = _in_team(browser, people, people.alice)
    alice.post(PAGE, {"kind": "webhook", "address": address})

    assert "a-secret-part" in alice.get(PAGE).text
    shown = _in_team(browser, people, people.vera).get(PAGE).text
    assert "http://127.0.0.1:9/…" in shown
    assert "a-secret-part" not in shown
    with people.app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "workspaces.channel_added")).one()
    assert entry.facts["address"] == "http://127.0.0.1:9/…"


def test_a_slow_name_server_holds_nobody_elses_transaction(people: People, browser, monkeypatch: pytest.MonkeyPatch):
    asked, answered = threading.Event(), threading.Event()
    waits: list[bool] = []

    def slow_look_up(*_given: object, **_more: object) -> list[object]:
        asked.set()
        waits.append(answered.wait(60))
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow_look_up)
    alice, bob = _in_team(browser, people, people.alice), browser(people.bob)
    form = {"kind": "webhook", "address": "https://slow.example/hook"}
    adding = threading.Thread(target=alice.post, args=(PAGE, form))
    adding.start()
    assert asked.wait(10)
    try:
        assert bob.post("/settings/general", {"display_name": "Robert"}).status_code == 303
    finally:
        answered.set()
        adding.join()
    assert waits == [True], "Bob had to wait for the name server"


def test_an_anonymous_visitor_is_sent_to_sign_in(people: People, browser):
    assert browser(None).get(PAGE).location.startswith("/login")


def test_htmx_gets_the_block_alone(people: People, browser):
    block = _in_team(browser, people, people.alice).fragment(PAGE, "channels").text

    assert block.lstrip().startswith('<section id="channels"')
    assert "<html" not in block


def test_secrets_move_to_the_new_key(people: People, browser):
    alice = _in_team(browser, people, people.alice)
    alice.post(PAGE, {"kind": "webhook", "address": "http://127.0.0.1:9/hook"})
    with people.app.app_context():
        rotated = KeyRing({"k9": bytes(32), **settings().encryption_keys.keys})

        assert (channels.reseal(rotated), channels.reseal(rotated)) == (1, 0)
        assert channels.channels(people.team_id)[0].sealed_secret.startswith("v1.k9.")
