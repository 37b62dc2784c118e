"""What each refusal of a key says by JSON: which key is needed, whose trouble it is; and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.costs.syncing import Syncing
from tests.costs.test_sync_failures import PASSING, REFUSALS
from tokenboard.costs import connecting
from tokenboard.costs.models import Connection
from tokenboard.providers.errors import ProviderTimeout
from tokenboard.providers.openai_client import OPENAI_ADMIN


@pytest.fixture
def syncing(sqlite_outside: Syncing) -> Syncing:
    """The database plays no part in what a refusal says."""
    return sqlite_outside


@pytest.mark.parametrize("suffix", REFUSALS)
def test_a_refused_key_is_422_with_its_sentence_and_nothing_is_stored(syncing: Syncing, suffix: str):
    key = f"sk-admin-sandbox{suffix}"

    answer = syncing.ask_to_connect(apiKey=key)

    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    why, said = answer.json["fields"]["apiKey"]
    assert why == answer.json["error"]
    assert REFUSALS[suffix][1] in why
    assert said.startswith("OpenAI said: “")
    assert key not in answer.text
    assert syncing.rows(Connection) == []


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("sk-proj-sandbox", "This is not the kind of key OpenAI wants here"),
        ("sk-svcacct-sandbox", "This is not the kind of key OpenAI wants here"),
        ("sk-nobodys-key", "OpenAI does not know this key"),
        ("sk-admin-sandbox-nousage", "does not let it read costs and usage"),
    ],
)
def test_every_wrong_kind_of_key_is_told_which_one_is_needed(syncing: Syncing, key: str, sentence: str):
    answer = syncing.ask_to_connect(apiKey=key)

    assert answer.status_code == 422
    assert sentence in answer.json["error"]
    assert "https://platform.openai.com/settings/organization/admin-keys" in answer.json["error"]


@pytest.mark.parametrize("suffix", PASSING)
def test_the_providers_own_trouble_is_502_and_nothing_is_stored(syncing: Syncing, suffix: str):
    answer = syncing.ask_to_connect(apiKey=f"sk-admin-sandbox{suffix}")

    assert (answer.status_code, answer.json["code"]) == (502, "upstream_error")
    assert syncing.rows(Connection) == []


@pytest.mark.parametrize(("suffix", "status"), [("-404", 502), ("-429-long", 502), ("-huge", 502), ("-deep", 502)])
def test_other_answers_that_cannot_be_used_are_502(syncing: Syncing, suffix: str, status: int):
    assert syncing.ask_to_connect(apiKey=f"sk-admin-sandbox{suffix}").status_code == status


def test_a_key_without_names_is_good_enough(syncing: Syncing):
    assert syncing.ask_to_connect(apiKey="sk-admin-sandbox-nonames").status_code == 200


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"apiKey": ""}, "apiKey"),
        ({"apiKey": "short"}, "apiKey"),
        ({"apiKey": "sk-admin with a space"}, "apiKey"),
        ({"apiKey": "sk-admin-ключ-ключ"}, "apiKey"),
        ({"apiKey": "k" * 513}, "apiKey"),
        ({"apiKey": None}, "apiKey"),
        ({"apiKey": 12345678}, "apiKey"),
        ({"mode": "company"}, "mode"),
    ],
)
def test_what_is_no_key_is_refused_before_anybody_is_asked(syncing: Syncing, more: dict[str, Any], field: str):
    answer = syncing.ask_to_connect(**more)

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == [field]


def test_a_provider_that_takes_too_long_is_504():
    refusal = connecting.refused(ProviderTimeout(OPENAI_ADMIN), "organization")

    assert (refusal.status, refusal.code) == (504, "upstream_timeout")
    assert refusal.message.startswith("OpenAI took too long to answer.")
