"""Settings of credits: a weak admin key stops the start, sign-up credits are 0 in production, the value is frozen."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import settings_with
from tests.people import People
from tokenboard.app import create_app
from tokenboard.core.config import Settings, load_settings
from tokenboard.core.settings_fields import ConfigError

PRODUCTION = {
    "TOKENBOARD_ENV": "production",
    "BASE_URL": "https://tokens.test",
    "SECRET_KEY": "Zr8vQm2LxT5yKc9WbN4hJd7PfG3sAe6U",
    "JWT_SECRET": "Hq3nVx7BzM2kRt8YwC5jLp9DfS4gEa6T",
    "PASSWORD_PEPPER": "Nc6mWb2XyK8tQz4RvH7jLs5PdF9gEa3U",
    "ENCRYPTION_KEYS": "k1:" + "A" * 43 + "=",
    "DATABASE_URL": "postgres://user@host/name",
    "REDIS_URL": "redis://host",
}


def _load(tmp_path: Path, **environ: str) -> Settings:
    return load_settings(environ, instance_path=tmp_path)


@pytest.mark.parametrize("key", ["short", "x" * 31, "changeme-changeme-changeme-changeme"])
def test_a_weak_admin_key_is_refused_at_the_start_by_name(tmp_path: Path, key: str):
    with pytest.raises(ConfigError, match="ADMIN_API_KEY"):
        _load(tmp_path, ADMIN_API_KEY=key)


def test_the_admin_key_may_come_from_a_file(tmp_path: Path):
    kept = tmp_path / "key"
    kept.write_text("W3nB8yHc5JqT1xDsW3nB8yHc5JqT1xDs\n", encoding="utf-8")

    assert _load(tmp_path, ADMIN_API_KEY_FILE=str(kept)).admin_api_key == "W3nB8yHc5JqT1xDsW3nB8yHc5JqT1xDs"


def test_sign_up_credits_are_a_thousand_and_nought_in_production_unless_set(tmp_path: Path):
    assert _load(tmp_path).signup_credits == 1000
    assert _load(tmp_path, **PRODUCTION).signup_credits == 0
    assert _load(tmp_path, **PRODUCTION, SIGNUP_CREDITS="50").signup_credits == 50


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNUP_CREDITS", "-1"),
        ("SIGNUP_CREDITS", "1.5"),
        ("SIGNUP_CREDITS_EXPIRE_DAYS", "soon"),
        ("CREDIT_VALUE_USD", "0"),
        ("CREDIT_VALUE_USD", "-0.01"),
        ("CREDIT_VALUE_USD", "1e-2"),
    ],
)
def test_what_cannot_be_a_setting_is_refused_by_name(tmp_path: Path, name: str, value: str):
    with pytest.raises(ConfigError, match=name):
        _load(tmp_path, **{name: value})


def test_another_credit_value_is_refused_once_the_books_have_entries(people: People, redis_url: str, tmp_path: Path):
    url = people.app.extensions["settings"].database_url
    other = settings_with(url, redis_url, "", tmp_path, CREDIT_VALUE_USD="0.02")

    with pytest.raises(ConfigError, match=r"set CREDIT_VALUE_USD=0\.01 again"):
        create_app(other)

    create_app(dataclasses.replace(other, credit_value_usd=Decimal("0.010")))


def test_a_database_that_is_not_migrated_yet_stops_no_start(redis_url: str, tmp_path: Path):
    create_app(settings_with(f"sqlite:///{tmp_path}/fresh.sqlite3", redis_url, "", tmp_path))
