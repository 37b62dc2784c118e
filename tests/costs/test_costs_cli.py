"""`flask costs sync`: says what it would read, and reads only when told to."""

from __future__ import annotations

from tests.costs.syncing import EMPTY, Syncing


def test_it_lists_and_changes_nothing(outside: Syncing):
    connection = outside.connect()
    outside.drop_waiting(connection)

    ran = outside.app.test_cli_runner().invoke(args=["costs", "sync"])

    assert ran.exit_code == 0
    assert "openai …mpty of workspace" in ran.output
    assert "(never read): would read" in ran.output
    assert "(180 days)" in ran.output
    assert "Nothing was changed. Add --now to read." in ran.output
    assert outside.waiting(connection) is None
    assert EMPTY not in ran.output


def test_now_reads_in_this_process(outside: Syncing):
    connection = outside.connect()

    ran = outside.app.test_cli_runner().invoke(args=["costs", "sync", "--now", "--workspace", outside.people.team_id])

    assert ran.exit_code == 0
    assert "done, 180 of 180 days" in ran.output
    assert len(outside.days(connection)) == 180


def test_now_says_what_went_wrong(outside: Syncing):
    outside.connect("sk-admin-sandbox-revoked")

    ran = outside.app.test_cli_runner().invoke(args=["costs", "sync", "--now"])

    assert "failed, 0 of 180 days: OpenAI does not know this key" in ran.output
    assert "sk-admin-sandbox-revoked" not in ran.output


def test_another_workspace_has_nothing_to_read(outside: Syncing):
    outside.connect()

    strange = outside.people.charlie.workspace_id
    ran = outside.app.test_cli_runner().invoke(args=["costs", "sync", "--workspace", strange])

    assert "No connection is read automatically here." in ran.output


def test_what_is_no_id_is_refused(outside: Syncing):
    ran = outside.app.test_cli_runner().invoke(args=["costs", "sync", "--workspace", "acme"])

    assert ran.exit_code == 2
    assert "This is not an id." in ran.output
