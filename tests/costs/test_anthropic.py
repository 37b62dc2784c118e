"""Anthropic through the same rooms: cents as text, workspaces as projects, models named by the bill."""

from __future__ import annotations

from datetime import date

import pytest

from tests.contract.shared import needs_shared, text_of
from tests.costs.syncing import Syncing
from tokenboard.core.db import db
from tokenboard.costs.models import CostRow, ProviderName, SeenModel, UsageTotal

KEY = "sk-ant-admin-sandbox"
REPORT = "/anthropic/v1/organizations/cost_report"
USAGE = "/anthropic/v1/organizations/usage_report/messages"


def connect(outside: Syncing, key: str, mode: str = "organization"):
    body = {"workspaceId": outside.people.team_id, "provider": "anthropic", "apiKey": key, "mode": mode}
    return outside.people.bearer(outside.people.alice).post("/api/connections", json=body)


def test_the_bill_usage_and_names_come_in(syncing: Syncing):
    connection = syncing.connect(KEY, provider="anthropic")

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_message, run.days_done) == ("done", "", 180)
    assert sum(syncing.days(connection).values()) > 0
    assert any(total.input_tokens for total in syncing.rows(UsageTotal))
    assert {name.kind for name in syncing.rows(ProviderName)} == {"project", "api_key"}


def test_the_model_that_the_bill_names_stands_first_in_the_line_item(syncing: Syncing):
    connection = syncing.connect(KEY, provider="anthropic")
    syncing.drop_waiting(connection)
    syncing.queue(connection)

    syncing.run_waiting(connection)

    models = {seen.model for seen in syncing.rows(SeenModel)}
    named = [row.line_item for row in syncing.rows(CostRow) if row.line_item.endswith("Tokens")]
    assert named
    assert all(any(line_item.startswith(f"{model}, ") for model in models) for line_item in named)


@needs_shared
def test_the_recorded_report_is_exact_in_fractions_of_cents(syncing: Syncing):
    syncing.script(text_of("examples/anthropic/cost_report.json"), path=REPORT)
    syncing.script(text_of("examples/anthropic/usage_report_messages.json"), path=USAGE)
    connection = syncing.connect(KEY, provider="anthropic")

    run = syncing.run_waiting(connection)

    assert run.state == "done"
    assert syncing.days(connection) == {date(2026, 8, 1): 1_237_891_200}  # 123.78912 cents
    [row] = syncing.rows(CostRow)
    assert (row.project_id, row.api_key_id) == ("", "")
    assert row.line_item == "claude-sonnet-4-20250514, Claude Sonnet 4 Usage - Input Tokens"


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("sk-ant-api-sandbox", "This is not the kind of key Anthropic wants here"),
        ("sk-ant-admin-sandbox-revoked", "Anthropic does not know this key"),
        ("sk-ant-admin-sandbox-noscope", "Anthropic accepts this key but does not let it read costs and usage."),
    ],
)
def test_each_refusal_names_the_key_that_is_needed(outside: Syncing, key: str, sentence: str):
    answer = connect(outside, key)

    assert answer.status_code == 422
    assert sentence in answer.json["error"]
    assert "https://console.anthropic.com/settings/admin-keys" in answer.json["error"]


def test_there_is_no_personal_mode(outside: Syncing):
    answer = connect(outside, KEY, mode="personal")

    assert answer.status_code == 422
    assert answer.json["fields"] == {
        "mode": ["Only OpenAI has a personal mode. Connect the organization with an admin key."]
    }


def test_it_stands_beside_openai(syncing: Syncing):
    openai, anthropic = syncing.connect(), syncing.connect(KEY, provider="anthropic")

    assert openai != anthropic
    assert syncing.waiting(openai) is not None
    assert syncing.waiting(anthropic) is not None
    db.session.rollback()
