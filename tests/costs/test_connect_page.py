"""Settings, Connections: the page, its forms without JavaScript, its polled progress, and who sees what."""

from __future__ import annotations

import pytest

from tests.costs.syncing import Syncing
from tests.costs.test_sync_failures import REFUSALS
from tests.people import Browser
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs.models import Connection

PAGE = "/settings/connections"
KEY = "sk-admin-sandbox-empty"


@pytest.fixture
def syncing(outside: Syncing) -> Syncing:
    """No context is pushed here: each request has its own, as it will be."""
    return outside


@pytest.fixture
def alice(syncing: Syncing) -> Browser:
    """Alice, with the team chosen in her browser."""
    return in_team(syncing, "alice")


@pytest.fixture
def sqlite_alice(sqlite_outside: Syncing) -> Browser:
    """Alice on SQLite, for tables of cases in which the database plays no part."""
    return in_team(sqlite_outside, "alice")


def in_team(syncing: Syncing, who: str) -> Browser:
    browser = syncing.people.browser(getattr(syncing.people, who))
    with browser.client.session_transaction() as session:
        session["workspace_id"] = syncing.people.team_id
    return browser


def form(syncing: Syncing, **more: str) -> dict[str, str]:
    return {"workspace_id": syncing.people.team_id, "provider": "openai", "mode": "organization"} | more


def toasts(browser: Browser) -> str:
    """What the next page says once."""
    return browser.get(PAGE).text


def test_an_empty_workspace_is_told_where_the_key_is_made(alice: Browser):
    page = alice.get(PAGE)

    assert page.status_code == 200
    assert "Connect a provider" in page.text
    assert "https://platform.openai.com/settings/organization/admin-keys" in page.text
    assert "Use the sandbox key" in page.text
    assert "<code>sk-admin-sandbox</code>" in page.text


def test_connecting_shows_the_progress_and_the_masked_key(syncing: Syncing, alice: Browser):
    answer = alice.post(PAGE, form(syncing, api_key=f"  {KEY}\n"))

    assert (answer.status_code, answer.location) == (303, PAGE)
    page = alice.get(PAGE).text
    assert "OpenAI is connected. The last 180 days are being read." in page
    assert "…mpty" in page
    assert "0 of 180" in page
    assert 'hx-trigger="every 2s"' in page
    assert KEY not in page


def test_the_sandbox_key_is_one_click(syncing: Syncing, alice: Browser):
    answer = alice.post(PAGE, form(syncing, sandbox="1", api_key=""))

    assert answer.status_code == 303
    [connection] = syncing.rows(Connection)
    assert connection.last4 == "dbox"


def test_the_progress_stops_by_itself_and_brings_the_list_along(syncing: Syncing, alice: Browser):
    connection = syncing.connect()
    polled = alice.fragment(PAGE, "sync_progress")
    assert 'id="sync_progress"' in polled.text
    assert "every 2s" in polled.text
    assert "<html" not in polled.text
    assert 'id="connection_list"' not in polled.text

    syncing.read(connection)
    last = alice.fragment(PAGE, "sync_progress")

    assert "every 2s" not in last.text
    assert 'id="connection_list" class="stack" hx-swap-oob="true"' in last.text
    assert "Up to date" in last.text


@pytest.mark.parametrize("suffix", REFUSALS)
def test_a_refused_key_is_said_at_its_field(sqlite_outside: Syncing, sqlite_alice: Browser, suffix: str):
    key = f"sk-admin-sandbox{suffix}"

    answer = sqlite_alice.post(PAGE, form(sqlite_outside, api_key=key))

    assert answer.status_code == 422
    assert REFUSALS[suffix][1] in answer.text
    assert "OpenAI said:" in answer.text
    assert key not in answer.text
    assert sqlite_outside.rows(Connection) == []


@pytest.mark.parametrize(
    ("suffix", "sentence"),
    [
        ("-500", "OpenAI cannot be reached or is having trouble."),
        ("-halfpage", "OpenAI sent an answer that could not be read"),
        ("-429-bare", "OpenAI is limiting how often this key may ask."),
    ],
)
def test_the_providers_trouble_is_said_above_the_form(
    sqlite_outside: Syncing, sqlite_alice: Browser, suffix: str, sentence: str
):
    answer = sqlite_alice.post(PAGE, form(sqlite_outside, api_key=f"sk-admin-sandbox{suffix}"))

    assert answer.status_code == 502
    assert "Nothing was stored" in answer.text
    assert sentence in answer.text
    assert sqlite_outside.rows(Connection) == []


def test_an_empty_key_is_said_before_anybody_is_asked(syncing: Syncing, alice: Browser):
    answer = alice.post(PAGE, form(syncing, api_key=" "))

    assert answer.status_code == 422
    assert "Paste the key here." in answer.text


def test_a_rejected_key_names_the_cure_and_replacing_it_heals(syncing: Syncing, alice: Browser):
    connection = syncing.connect("sk-admin-sandbox-revoked")
    syncing.run_waiting(connection)
    page = alice.get(PAGE).text
    assert "Key refused" in page
    assert "OpenAI does not know this key" in page
    assert "Nothing is read until you replace the key" in page

    answer = alice.post(f"{PAGE}/{connection}/replace", {"mode": "organization", "api_key": KEY})

    assert answer.status_code == 303
    assert "OpenAI has the new key." in toasts(alice)
    assert syncing.connection(connection).status == "active"


def test_a_replacement_that_is_refused_keeps_the_old_key(syncing: Syncing, alice: Browser):
    connection = syncing.connect()
    before = syncing.connection(connection).sealed_key

    answer = alice.post(f"{PAGE}/{connection}/replace", {"mode": "organization", "api_key": "sk-proj-sandbox"})

    assert answer.status_code == 422
    assert "This is not the kind of key OpenAI wants here" in answer.text
    assert syncing.connection(connection).sealed_key == before


def test_the_test_button_tells_the_truth_either_way(syncing: Syncing, alice: Browser):
    connection = syncing.connect()
    syncing.drop_waiting(connection)
    alice.post(f"{PAGE}/{connection}/test")
    assert "OpenAI accepts the key ending in mpty." in toasts(alice)

    syncing.fault("revoked")
    alice.post(f"{PAGE}/{connection}/test")
    assert "OpenAI does not know this key" in toasts(alice)
    assert syncing.connection(connection).status == "rejected"

    alice.post(f"{PAGE}/{connection}/test")
    assert syncing.connection(connection).status == "active"
    assert syncing.waiting(connection) is not None


def test_trouble_while_testing_does_not_reject_the_key(syncing: Syncing, alice: Browser):
    connection = syncing.connect()
    syncing.fault("503", times=9)

    alice.post(f"{PAGE}/{connection}/test")

    assert "OpenAI cannot be reached or is having trouble." in toasts(alice)
    assert syncing.connection(connection).status == "active"


def test_sync_now_queues_once(syncing: Syncing, alice: Browser):
    connection = syncing.connect()
    syncing.drop_waiting(connection)
    with syncing.app.app_context():
        db.session.get_one(Connection, connection).last_full_sync_at = now()
        db.session.commit()

    for _ in range(2):
        assert alice.post(f"{PAGE}/{connection}/sync").status_code == 303

    assert syncing.waiting(connection).reason == "manual"


@pytest.mark.parametrize(("history", "days"), [("keep", 3), ("delete", 0)])
def test_removing_asks_about_the_history(syncing: Syncing, alice: Browser, history: str, days: int):
    connection = syncing.connect()
    syncing.read(connection)
    assert "Delete the history too" in alice.get(PAGE).text

    answer = alice.post(f"{PAGE}/{connection}/remove", {"history": history})

    assert answer.status_code == 303
    assert len(syncing.days(connection)) == days
    page = alice.get(PAGE).text
    assert ("Removed, history kept" in page) is (history == "keep")
    assert "Connect a provider" in page


def test_removing_without_an_answer_does_nothing(syncing: Syncing, alice: Browser):
    connection = syncing.connect()

    assert alice.post(f"{PAGE}/{connection}/remove", {}).status_code == 422
    assert syncing.connection(connection).status == "active"


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_members_see_the_page_and_may_change_nothing(syncing: Syncing, who: str):
    connection = syncing.connect()
    browser = in_team(syncing, who)

    page = browser.get(PAGE)

    assert page.status_code == 200
    assert "…mpty" in page.text
    for word in ("Sync now", "Test the key", "Replace the key", "Connect Anthropic"):
        assert word not in page.text
    for act in ("replace", "test", "sync", "remove"):
        assert browser.post(f"{PAGE}/{connection}/{act}", {"history": "keep"}).status_code == 403
    assert browser.post(PAGE, form(syncing, api_key=KEY)).status_code == 403
    assert browser.post(f"{PAGE}/balance", form(syncing, amount_nano="1")).status_code == 403


def test_an_admin_changes_and_leaves_syncing_to_the_owner(syncing: Syncing):
    connection = syncing.connect()
    dave = in_team(syncing, "dave")

    page = dave.get(PAGE).text

    assert "Test the key" in page
    assert "Sync now" not in page
    assert dave.post(f"{PAGE}/{connection}/sync").status_code == 403
    assert dave.post(f"{PAGE}/{connection}/test").status_code == 303


def test_a_stranger_finds_nothing(syncing: Syncing):
    connection = syncing.connect()
    charlie = syncing.people.browser(syncing.people.charlie)

    assert "…mpty" not in charlie.get(PAGE).text
    for act in ("replace", "test", "sync", "remove"):
        assert charlie.post(f"{PAGE}/{connection}/{act}", {"history": "keep"}).status_code == 404
    assert charlie.post(PAGE, form(syncing, api_key=KEY)).status_code == 404


def test_anonymous_is_sent_to_sign_in(syncing: Syncing):
    answer = syncing.people.browser(None).get(PAGE)

    assert answer.status_code == 303
    assert answer.location.startswith("/login?next=")


def test_a_form_of_another_workspace_acts_on_that_one(syncing: Syncing):
    """The browser chose another workspace in a second tab: the form still means the one it was drawn for."""
    alice = syncing.people.browser(syncing.people.alice)

    alice.post(PAGE, form(syncing, api_key=KEY))

    [connection] = syncing.rows(Connection)
    assert connection.workspace_id == syncing.people.team_id
