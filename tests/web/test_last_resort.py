"""What is written down when something breaks that nobody thought of."""

from __future__ import annotations

import logging

import pytest

from tests.people import People


def test_the_token_in_a_links_path_is_not_written_down(
    sqlite_people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(**_ids: str) -> str:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setitem(sqlite_people.app.view_functions, "workspaces.show_invitation", broken)
    with caplog.at_level(logging.ERROR):
        answer = sqlite_people.browser().get("/invitations/a-token-of-256-bits")

    assert answer.status_code == 500
    (record,) = [one for one in caplog.records if one.getMessage() == "unexpected_error"]
    assert "a-token-of-256-bits" not in str(vars(record)["rule"])
    assert not hasattr(record, "path")
